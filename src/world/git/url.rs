//! The URLs of remotes, from what people write.

use ::url::Url;

use crate::world::http::is_loopback;

/// Reads the URL of a repository: https, plain http to this machine, or what ssh is given, as https.
///
/// What is refused is never repeated with a password in it.
pub(crate) fn remote_url(text: &str) -> Result<Url, String> {
    let text = text.trim();
    if let Some(odd) = text.chars().find(|c| c.is_control() || c.is_whitespace() || *c == '\\') {
        return Err(format!("a repository's URL must not contain `{}`", odd.escape_default()));
    }
    if text.is_empty() || text.starts_with('-') {
        return Err(format!("`{text}` is no URL; {EXPECTED}"));
    }
    let url = match text.split_once("://") {
        Some(("ssh" | "git+ssh" | "ssh+git", rest)) => https_of_ssh(rest, '/')?,
        Some(_) => parse(text)?,
        None => https_of_ssh(text, ':')?,
    };
    if url.password().is_some() {
        let text = "the URL has a password in it; write it without, and give the token with `repo-tokens`";
        return Err(text.to_owned());
    }
    let url = without_user(url);
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => return Err(format!("{url} is not encrypted; write https://")),
        scheme => return Err(format!("`{scheme}:` is not supported; {EXPECTED}")),
    }
    if url.query().is_some() || url.fragment().is_some() || url.path().trim_matches('/').is_empty() {
        return Err(format!("`{url}` names no repository; {EXPECTED}"));
    }
    Ok(url)
}

/// The URL without a user's name and password.
pub(super) fn without_user(mut url: Url) -> Url {
    // Neither fails for a URL with a host.
    let _ = url.set_password(None);
    let _ = url.set_username("");
    url
}

const EXPECTED: &str = "write https://host/owner/repository";

/// `user@host/path` or `user@host:path`, as ssh has it; the port of ssh says nothing about https.
fn https_of_ssh(text: &str, separator: char) -> Result<Url, String> {
    let unknown = || format!("`{}` is no URL; {EXPECTED}", shown(text));
    let (host, path) = text.split_once(separator).ok_or_else(unknown)?;
    let host = host.rsplit('@').next().unwrap_or(host);
    let host = if separator == '/' { host.split(':').next().unwrap_or(host) } else { host };
    let is_host = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c));
    if !is_host || !host.contains('.') || host.starts_with(['-', '.']) || path.starts_with(':') {
        return Err(unknown());
    }
    parse(&format!("https://{host}/{}", path.trim_start_matches('/')))
}

fn parse(text: &str) -> Result<Url, String> {
    Url::parse(text).map_err(|error| format!("`{}` is no URL ({error}); {EXPECTED}", shown(text)))
}

/// Text without what stands before an `@`: it may be a password.
fn shown(text: &str) -> &str {
    text.rsplit('@').next().unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write() {
        let cases = [
            ("https://github.com/contoso/app", "https://github.com/contoso/app", "as it is"),
            ("https://github.com/contoso/app.git", "https://github.com/contoso/app.git", "as it is"),
            (" https://GitHub.com/contoso/app ", "https://github.com/contoso/app", "spaces around"),
            ("https://ghe.example:8443/o/r", "https://ghe.example:8443/o/r", "a port"),
            ("https://me@dev.azure.com/o/p/_git/r", "https://dev.azure.com/o/p/_git/r", "a user's name"),
            ("git@github.com:contoso/app.git", "https://github.com/contoso/app.git", "for ssh"),
            ("github.com:contoso/app", "https://github.com/contoso/app", "for ssh, without a user"),
            ("ssh://git@github.com/contoso/app", "https://github.com/contoso/app", "for ssh, as a URL"),
            ("ssh://git@github.com:2222/contoso/app", "https://github.com/contoso/app", "the port of ssh"),
            ("http://127.0.0.1:9/o/r", "http://127.0.0.1:9/o/r", "this machine"),
            ("http://[::1]:9/o/r", "http://[::1]:9/o/r", "this machine"),
            ("http://localhost/o/r", "http://localhost/o/r", "this machine"),
        ];
        for (text, want, why) in cases {
            assert_eq!(remote_url(text).as_ref().map(Url::as_str), Ok(want), "{why}");
        }
    }

    #[test]
    fn what_is_refused() {
        let cases = [
            ("http://github.com/o/r", "http://github.com/o/r is not encrypted; write https://"),
            ("http://127.0.0.1.evil.example/o/r", "http://127.0.0.1.evil.example/o/r is not encrypted"),
            ("http://localhost.evil.example/o/r", "http://localhost.evil.example/o/r is not encrypted"),
            ("file:///etc", "`file:` is not supported"),
            ("git://github.com/o/r", "`git:` is not supported"),
            ("ext::sh -c id", "a repository's URL must not contain ` `"),
            ("ext::id", "`ext::id` is no URL"),
            ("--upload-pack=id", "`--upload-pack=id` is no URL"),
            ("-x@github.com:o/r", "`-x@github.com:o/r` is no URL"),
            ("ssh://-oProxyCommand=id/o", "`-oProxyCommand=id/o` is no URL"),
            ("/etc/passwd", "`/etc/passwd` is no URL"),
            ("../other", "`../other` is no URL"),
            ("C:/repositories/app", "`C:/repositories/app` is no URL"),
            ("contoso/app", "`contoso/app` is no URL"),
            ("", "`` is no URL"),
            ("https://github.com", "`https://github.com/` names no repository"),
            ("https://github.com/o/r?x=1", "`https://github.com/o/r?x=1` names no repository"),
            ("https://", "`https://` is no URL (empty host)"),
            ("https://github.com/o/r\n", ""),
            ("https://github.com/o\n/r", "a repository's URL must not contain `\\n`"),
            ("https://github.com\\@evil.example/o", "a repository's URL must not contain `\\\\`"),
        ];
        for (text, want) in cases.into_iter().filter(|(_, want)| !want.is_empty()) {
            let got = remote_url(text).unwrap_err();
            assert!(got.starts_with(want), "{got} should begin with {want}");
        }
        for text in [
            "https://me:canary@github.com/o/r",
            "ssh://me:canary@/",
            "me:canary@github.com/x y",
            "https://a:canary@",
        ] {
            let got = remote_url(text).unwrap_err();
            assert!(!got.contains("canary"), "{got}");
        }
    }
}
