//! Git over HTTP, by `git http-backend`.

use std::process::Command;

use anyhow::{Context, Result};

use crate::git::feed;
use crate::reply::{Refusal, Reply};
use crate::state::{GitHub, Visibility};
use crate::tokens::{Credential, Level, Scope};

/// A request of a git client.
pub(crate) struct GitRequest<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) credential: &'a Credential,
    pub(crate) header: &'a dyn Fn(&str) -> Option<&'a str>,
    pub(crate) body: &'a [u8],
}

/// Whether a request would change the repository.
pub(crate) fn is_push(path: &str, query: &str) -> bool {
    path.ends_with("/git-receive-pack") || query.contains("service=git-receive-pack")
}

/// Checks who asks, and gives the program that answers: it needs nothing of the state, and may take long.
pub(crate) fn admit(github: &GitHub, request: &GitRequest<'_>) -> Result<Command, Reply> {
    let not_found = || Reply::bytes(404, b"Repository not found.\n".to_vec());
    let (key, service) = split(request.path).ok_or_else(not_found)?;
    let unauthorized = || {
        Reply::bytes(401, b"Repository not found or invalid credentials.\n".to_vec())
            .with("www-authenticate", "Basic realm=\"GitHub\"")
    };
    let grant = match request.credential {
        Credential::Absent => None,
        Credential::Unreadable => return Err(unauthorized()),
        Credential::Token(token) => {
            let known = github.grants.get(token).filter(|grant| !grant.is_over(github.now()));
            Some(known.ok_or_else(unauthorized)?)
        }
    };
    let repo = match (github.repositories.get(&key), grant) {
        (Some(repo), _) => repo,
        (None, Some(_)) => return Err(not_found()),
        // Whoever has no token does not learn what there is.
        (None, None) => return Err(unauthorized()),
    };
    if let Some(redirect) = &repo.redirect {
        let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
        let to = format!("{}/{service}{query}", redirect.to);
        return Err(Reply::from(Refusal::new(redirect.status, "Moved")).with("location", to));
    }
    let level = grant
        .filter(|grant| grant.covers(&repo.owner.to_lowercase(), &key))
        .map_or(Level::None, |grant| grant.level(Scope::Contents));
    let level = if repo.visibility == Visibility::Public { level.max(Level::Read) } else { level };
    let needed = if is_push(request.path, request.query) { Level::Write } else { Level::Read };
    match grant {
        _ if level >= needed => Ok(backend(github, &key, service, request)),
        None => Err(unauthorized()),
        Some(_) if level == Level::None => Err(not_found()),
        Some(grant) => {
            let denied = format!("Permission to {} denied to {}.\n", repo.full_name(), grant.login());
            Err(Reply::bytes(403, denied.into_bytes()))
        }
    }
}

/// Answers an admitted request.
pub(crate) fn answer(backend: Command, body: &[u8]) -> Result<Reply> {
    let out = feed(backend, body)?;
    let end = out
        .stdout
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .with_context(|| format!("git http-backend: {}", String::from_utf8_lossy(&out.stderr)))?;
    let head = String::from_utf8_lossy(&out.stdout[..end]).into_owned();
    let mut reply = Reply::bytes(200, out.stdout[end + 4..].to_vec());
    for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
        match name {
            "Status" => {
                reply.status = value.split(' ').next().and_then(|code| code.parse().ok()).unwrap_or(500)
            }
            _ => reply = reply.with(&name.to_ascii_lowercase(), value),
        }
    }
    Ok(reply)
}

/// `/owner/name[.git]/service` as the repository's key and the service.
fn split(path: &str) -> Option<(String, &str)> {
    let mut parts = path.trim_start_matches('/').splitn(3, '/');
    let (owner, name, service) = (parts.next()?, parts.next()?, parts.next()?);
    let known = matches!(service, "info/refs" | "git-upload-pack" | "git-receive-pack");
    let name = name.strip_suffix(".git").unwrap_or(name);
    known.then(|| (format!("{owner}/{name}").to_lowercase(), service))
}

fn backend(github: &GitHub, key: &str, service: &str, request: &GitRequest<'_>) -> Command {
    let mut command = github.bare(key).command();
    command
        .arg("http-backend")
        .env_remove("GIT_DIR")
        .env("GIT_PROJECT_ROOT", &github.folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", request.method)
        .env("PATH_INFO", format!("/{key}.git/{service}"))
        .env("QUERY_STRING", request.query)
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("REMOTE_USER", "git")
        .env("REMOTE_ADDR", "127.0.0.1");
    let protected = github.repositories.get(key).into_iter().flat_map(|repo| &repo.protections);
    let mut hidden = 0;
    // What is hidden from whoever pushes cannot be pushed to.
    for (branch, _) in protected.filter(|(_, protection)| protection.refuses_pushes()) {
        command
            .env(format!("GIT_CONFIG_KEY_{hidden}"), "receive.hideRefs")
            .env(format!("GIT_CONFIG_VALUE_{hidden}"), format!("refs/heads/{branch}"));
        hidden += 1;
    }
    command.env("GIT_CONFIG_COUNT", hidden.to_string());
    for (header, variable) in [
        ("content-type", "CONTENT_TYPE"),
        ("content-encoding", "HTTP_CONTENT_ENCODING"),
        ("git-protocol", "GIT_PROTOCOL"),
    ] {
        if let Some(value) = (request.header)(header) {
            command.env(variable, value);
        }
    }
    command
}
