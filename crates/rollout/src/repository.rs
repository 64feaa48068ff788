//! Whether two URLs name one repository.

/// Whether two URLs name one repository of a GitHub server: host and path are the same in any case, with or without
/// `.git`, a slash at the end, a user, and in `ssh` forms.
pub fn is_same_repository(one: &str, other: &str) -> bool {
    match (place(one), place(other)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

/// Host and path, without what does not tell repositories apart. Ports do not: `ssh` has another one.
fn place(url: &str) -> Option<(String, String)> {
    let url = url.trim().to_lowercase();
    let (authority, path) = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?,
        // As `ssh` takes it: the path begins after the colon.
        None => url.split_once(':')?,
    };
    let host = authority.rsplit('@').next()?.split(':').next()?;
    // Servers offer `ssh` on the port of `https` under this name.
    let host = host.strip_prefix("ssh.").unwrap_or(host);
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    (!host.is_empty() && !path.is_empty()).then(|| (host.to_owned(), path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same() {
        let cases = [
            ("https://github.com/org/gitops", "the same"),
            ("https://GitHub.com/Org/GitOps", "capitals"),
            ("https://github.com/org/gitops.git", "its suffix"),
            ("https://github.com/org/gitops/", "a slash"),
            ("https://github.com/org/gitops.git/", "both"),
            ("https://github.com:443/org/gitops", "a port"),
            ("http://github.com/org/gitops", "another scheme"),
            ("https://user:secret@github.com/org/gitops", "a user"),
            ("ssh://git@github.com/org/gitops.git", "ssh"),
            ("ssh://git@ssh.github.com:443/org/gitops.git", "ssh through a firewall"),
            ("git@github.com:org/gitops.git", "the short form of ssh"),
            ("git@github.com:/org/gitops", "with a slash"),
            ("github.com:org/gitops", "without a user"),
            (" https://github.com/org/gitops\n", "space around it"),
        ];
        for (url, why) in cases {
            assert!(is_same_repository(url, "https://github.com/org/gitops"), "{why}");
            assert!(is_same_repository("https://github.com/org/gitops", url), "{why}");
        }
    }

    #[test]
    fn different() {
        let cases = [
            ("https://github.com/org/gitops2", "another name"),
            ("https://github.com/org/gitops.gitx", "no suffix"),
            ("https://github.com/org2/gitops", "another owner"),
            ("https://example.com/org/gitops", "another host"),
            ("https://github.com.example.com/org/gitops", "a host that begins alike"),
            ("https://example.com/github.com/org/gitops", "the host as a folder"),
            ("https://github.com@example.com/org/gitops", "the host as a user"),
            ("https://github.com/org/gitops/tree", "a folder in it"),
            ("https://github.com", "no path"),
            ("https:///org/gitops", "no host"),
            ("org/gitops", "neither"),
            ("", "nothing"),
        ];
        for (url, why) in cases {
            assert!(!is_same_repository(url, "https://github.com/org/gitops"), "{why}");
        }
        for nothing in
            ["", "https://", "https:///", "https://github.com/", "https://github.com/.git", ":a", "a"]
        {
            assert!(!is_same_repository(nothing, nothing), "{nothing} names no repository");
        }
    }
}
