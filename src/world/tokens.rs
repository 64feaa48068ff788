//! Tokens, and the repositories that each of them belongs to.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use serde::Deserialize;
use url::Url;

use super::github::{App, Error, Repo};
use super::http::is_loopback;
use crate::exit::Failure;

/// A secret: `Debug` does not show it, and it has no `Display`.
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub(crate) struct Token(Arc<str>);

/// What was given, each as it was written.
#[derive(Clone, Copy, Default)]
pub(crate) struct Given<'a> {
    /// One token, for the control plane repository
    pub(crate) github_token: Option<&'a str>,
    /// One token for the GitOps repositories, or lines `URL-PREFIX=TOKEN`
    pub(crate) gitops_token: Option<&'a str>,
    /// Lines `URL-PREFIX=TOKEN`
    pub(crate) repo_tokens: Option<&'a str>,
}

/// Which token may be sent where.
///
/// A token that was given for a role (GitOps repositories, control plane) goes before one given for a prefix,
/// which goes before those of the GitHub App; of several prefixes the longest counts. Where one repository has
/// both roles, it is the GitOps repository's token. What was not given for a place is not sent there, and nothing
/// crosses a network in clear text.
#[derive(Debug)]
pub(crate) struct Tokens {
    server: Url,
    control_plane: Option<Prefix>,
    github: Option<Token>,
    gitops: Gitops,
    repos: Vec<(Prefix, Token)>,
    gitops_repos: RwLock<Vec<Prefix>>,
    app: Option<App>,
}

/// Why no token can be had for a repository.
#[derive(Debug)]
pub(crate) enum NoToken {
    /// Only the workflow's own token is there, which reaches no other repository
    OnlyTheWorkflows,
    /// The GitHub App could make none
    App(Error),
}

#[derive(Debug)]
enum Gitops {
    Default,
    One(Token),
    Prefixes(Vec<(Prefix, Token)>),
}

/// The beginning of a URL, up to the end of a path segment.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Prefix {
    origin: url::Origin,
    segments: Vec<String>,
}

impl Token {
    /// What a person gave as a token; nothing if it is empty.
    fn given(text: &str) -> Option<Token> {
        Some(text.trim()).filter(|text| !text.is_empty()).map(Token::secret)
    }

    /// Any other secret.
    pub(crate) fn secret(text: &str) -> Token {
        Token(text.into())
    }

    /// The secret itself, to send it where it belongs or to mask it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it looks like the token of a workflow run, or of a GitHub App, which look the same.
    pub(crate) fn is_workflow_like(&self) -> bool {
        self.0.starts_with("ghs_")
    }
}

impl From<String> for Token {
    fn from(text: String) -> Token {
        Token(text.into())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The token of the longest prefix that covers a place.
fn longest<'t>(prefixes: &'t [(Prefix, Token)], place: &Prefix) -> Option<&'t Token> {
    let covering = prefixes.iter().filter(|(prefix, _)| prefix.covers(place));
    covering.max_by_key(|(prefix, _)| prefix.segments.len()).map(|(_, token)| token)
}

impl Tokens {
    /// The tokens that were `given`, for repositories on `server` and elsewhere.
    pub(crate) fn new(
        given: Given<'_>,
        server: &Url,
        control_plane: Option<&Repo>,
        app: Option<App>,
    ) -> Result<Tokens, Failure> {
        let repos = lines("repo-tokens", given.repo_tokens.unwrap_or_default(), server)?;
        let gitops = match given.gitops_token.and_then(Token::given) {
            None => Gitops::Default,
            Some(token) if token.expose().contains("://") => {
                Gitops::Prefixes(lines("gitops-token", token.expose(), server)?)
            }
            Some(token) => Gitops::One(sendable("gitops-token", token)?),
        };
        let github = given.github_token.and_then(Token::given);
        Ok(Tokens {
            server: server.clone(),
            control_plane: control_plane.and_then(|repo| Prefix::new(&repo.url(server), server)),
            github: github.map(|token| sendable("github-token", token)).transpose()?,
            gitops,
            repos,
            gitops_repos: RwLock::default(),
            app,
        })
    }

    /// Says which repositories are GitOps repositories: `gitops-token` is for these.
    pub(crate) fn set_gitops_repositories(&self, repositories: &[Url]) {
        let prefixes = repositories.iter().filter_map(|url| Prefix::new(url, &self.server)).collect();
        *self.gitops_repos.write().unwrap_or_else(PoisonError::into_inner) = prefixes;
    }

    /// The token that belongs to the repository at `url`, if there is one.
    ///
    /// That of a GitHub App is minted now if need be.
    pub(crate) fn token(&self, url: &Url) -> Result<Option<Token>, NoToken> {
        let Some(place) = Prefix::new(url, &self.server).filter(|_| is_private(url)) else { return Ok(None) };
        let is_gitops = self.is_gitops(&place);
        let is_control_plane = self.control_plane.as_ref().is_some_and(|prefix| prefix.covers(&place));
        // A role that has no prefix is for the server alone: what a file names as a GitOps repository may be anywhere.
        let repo = Repo::at(url, &self.server);
        let of_role = match (&self.gitops, &self.github, &repo) {
            (Gitops::Prefixes(prefixes), ..) if is_gitops => longest(prefixes, &place),
            (Gitops::One(token), _, Some(_)) if is_gitops => Some(token),
            (_, Some(token), _) if is_control_plane => Some(token),
            _ => None,
        };
        if let Some(token) = of_role.or_else(|| longest(&self.repos, &place)) {
            return Ok(Some(token.clone()));
        }
        let Some(repo) = repo else { return Ok(None) };
        if let Some(app) = &self.app
            && let Some(token) = app.token(&repo).map_err(NoToken::App)?
        {
            return Ok(Some(token));
        }
        match (&self.gitops, &self.github) {
            (Gitops::Default, Some(token)) if is_gitops && token.is_workflow_like() => {
                Err(NoToken::OnlyTheWorkflows)
            }
            (Gitops::Default, Some(token)) if is_gitops => Ok(Some(token.clone())),
            _ => Ok(None),
        }
    }

    /// Whether what was given for the GitOps repository at `url` is a token of a GitHub App, which ends after an hour
    /// and is not renewed here; the workflow's own lives as long as its job.
    pub(crate) fn is_short_lived(&self, url: &Url) -> bool {
        let given = match &self.gitops {
            Gitops::Default => None,
            Gitops::One(token) => Some(token),
            Gitops::Prefixes(prefixes) => {
                Prefix::new(url, &self.server).and_then(|place| longest(prefixes, &place))
            }
        };
        let own = self.github.as_ref().map(Token::expose);
        given.is_some_and(|token| token.is_workflow_like() && Some(token.expose()) != own)
    }

    /// Every secret that is known now, to be masked; the App announces those that it mints later.
    pub(crate) fn all(&self) -> Vec<Token> {
        let Tokens { github, gitops, repos, app, server: _, control_plane: _, gitops_repos: _ } = self;
        let gitops = match gitops {
            Gitops::Default => Vec::new(),
            Gitops::One(token) => vec![token.clone()],
            Gitops::Prefixes(prefixes) => prefixes.iter().map(|(_, token)| token.clone()).collect(),
        };
        let repos = repos.iter().map(|(_, token)| token.clone());
        let app = app.iter().flat_map(App::secrets);
        github.iter().cloned().chain(gitops).chain(repos).chain(app).collect()
    }

    fn is_gitops(&self, place: &Prefix) -> bool {
        let prefixes = self.gitops_repos.read().unwrap_or_else(PoisonError::into_inner);
        prefixes.iter().any(|prefix| prefix.covers(place))
    }
}

impl fmt::Display for NoToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoToken::OnlyTheWorkflows => {
                f.write_str("the token looks like the workflow's own, which reaches no other repository")
            }
            NoToken::App(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for NoToken {}

impl Prefix {
    /// `None` for URLs without a host.
    fn new(url: &Url, server: &Url) -> Option<Prefix> {
        let host = url.host_str()?;
        // GitHub's names are the same in small and capital letters; another server's need not be.
        let folds = host == "github.com" || host.ends_with(".ghe.com") || url.origin() == server.origin();
        let path = url.path().strip_prefix('/').unwrap_or_default();
        let path = path.strip_suffix('/').unwrap_or(path);
        let path = path.strip_suffix(".git").unwrap_or(path);
        let path = if folds { path.to_lowercase() } else { path.to_owned() };
        let segments = path.split('/').filter(|_| !path.is_empty()).map(str::to_owned).collect();
        Some(Prefix { origin: url.origin(), segments })
    }

    fn covers(&self, place: &Prefix) -> bool {
        self.origin == place.origin && place.segments.starts_with(&self.segments)
    }
}

/// Whether nobody on the way can read what is sent there.
fn is_private(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url))
}

fn lines(input: &str, text: &str, server: &Url) -> Result<Vec<(Prefix, Token)>, Failure> {
    let mut found: Vec<(Prefix, Token)> = Vec::new();
    for (number, text) in text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
        // The line itself is never said: it may be a token as a whole.
        let wrong = |reason: &str| {
            let place = format!("`{input}`, line {}: {reason}", number + 1);
            Failure::usage(
                place,
                "write URL-PREFIX=TOKEN, as in https://github.com/contoso=TOKEN, one in a line",
            )
        };
        let (url, token) =
            text.split_once('=').ok_or_else(|| wrong("there is no `=` between a prefix and a token"))?;
        let url = Url::parse(url.trim()).map_err(|_| wrong("what stands before `=` is no URL"))?;
        let plain = url.username().is_empty() && url.password().is_none();
        if !plain || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("the prefix may consist of scheme, host and path only"));
        }
        if !is_private(&url) {
            return Err(wrong(
                "the prefix must begin with https://, so that nobody reads the token on the way",
            ));
        }
        let prefix = Prefix::new(&url, server).ok_or_else(|| wrong("the prefix names no host"))?;
        let token = Token::given(token).ok_or_else(|| wrong("there is no token after `=`"))?;
        if found.iter().any(|(other, _)| *other == prefix) {
            return Err(wrong("there is a token for this prefix already"));
        }
        found.push((prefix, sendable(input, token)?));
    }
    Ok(found)
}

/// Refuses what cannot be a token: it would break the header that it is sent in.
fn sendable(input: &str, token: Token) -> Result<Token, Failure> {
    if token.expose().chars().all(|c| c.is_ascii_graphic()) {
        return Ok(token);
    }
    let text = format!("`{input}` holds a space, a line end or another character that no token has");
    Err(Failure::usage(text, "give the token alone, or lines URL-PREFIX=TOKEN where they are taken"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn tokens(given: Given<'_>) -> Tokens {
        let control_plane = Repo::new("contoso/control-plane");
        let tokens = Tokens::new(given, &url("https://github.com"), control_plane.as_ref(), None).unwrap();
        tokens.set_gitops_repositories(&[
            url("https://github.com/contoso/gitops"),
            url("https://evil.com/contoso/g"),
        ]);
        tokens
    }

    fn found(tokens: &Tokens, at: &str) -> String {
        match tokens.token(&url(at)) {
            Ok(token) => token.map_or("-".to_owned(), |token| token.expose().to_owned()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn prefixes() {
        let lines = "https://github.com/Contoso=OWNER\n\n https://github.com/contoso/app.git/ = APP \n\
                     https://git.example.com:8443/Team=TEAM==\nhttps://github.com/contoso/app/sub=SUB\n\
                     http://127.0.0.1:3000/a=LOCAL\nhttps://all.example.com=ALL";
        let tokens = tokens(Given { repo_tokens: Some(lines), ..Given::default() });
        for (at, want, why) in [
            ("https://github.com/contoso/other", "OWNER", "below the prefix"),
            ("https://github.com/CONTOSO/Other.git", "OWNER", "GitHub does not tell capital letters apart"),
            ("https://GitHub.com:443/contoso/other/", "OWNER", "nor does any host; the usual port"),
            ("https://github.com/contoso/app", "APP", "the longest prefix"),
            ("https://github.com/contoso/app.git", "APP", "git's form"),
            ("https://github.com/contoso/application", "OWNER", "a segment counts as a whole"),
            ("https://github.com/contoso/app/sub", "SUB", "longer still"),
            ("https://github.com/contoso-evil/app", "-", "another owner"),
            ("https://github.com/contoso%2Fapp", "-", "an escape is no separator"),
            ("https://github.com/evil/../contoso/app", "APP", "the URL is read as it will be sent"),
            ("https://github.com/contoso/../evil/app", "-", "the same, outwards"),
            ("https://github.com.evil.com/contoso/app", "-", "another host"),
            ("https://evil.com/github.com/contoso", "-", "the host in the path"),
            ("https://github.com@evil.com/contoso/app", "-", "the host as a user"),
            ("https://github.com:8443/contoso/app", "-", "another port"),
            ("http://github.com/contoso/app", "-", "in clear text"),
            ("https://git.example.com:8443/Team/x", "TEAM==", "a token with `=`"),
            ("https://git.example.com:8443/team/x", "-", "other servers tell capital letters apart"),
            ("https://git.example.com/Team/x", "-", "another port"),
            ("http://127.0.0.1:3000/a/b", "LOCAL", "loopback needs no encryption"),
            ("http://127.0.0.1:3001/a/b", "-", "another port"),
            ("https://all.example.com/x/y", "ALL", "a whole host"),
            ("ssh://git@github.com/contoso/app", "-", "another scheme"),
            ("file:///contoso/app", "-", "no host"),
        ] {
            assert_eq!(found(&tokens, at), want, "{at}: {why}");
        }
    }

    #[test]
    fn tokens_that_do_not_outlast_an_hour() {
        let gitops = Url::parse("https://github.com/contoso/gitops").unwrap();
        for (given, want, why) in [
            ("", false, "the workflow's own lives as long as its job"),
            ("ghs_w", false, "the same, given once more"),
            ("ghs_a", true, "that of an App"),
            ("github_pat_a", false, "that of a person"),
            ("https://github.com/contoso=ghs_a", true, "that of an App, for an owner"),
            ("https://github.com/fabrikam=ghs_a", false, "for another owner"),
        ] {
            let gitops_token = Some(given).filter(|given| !given.is_empty());
            let tokens = tokens(Given { github_token: Some("ghs_w"), gitops_token, repo_tokens: None });
            assert_eq!(tokens.is_short_lived(&gitops), want, "{why}");
        }
    }

    #[test]
    fn roles() {
        let (plane, gitops) =
            ("https://github.com/contoso/control-plane", "https://github.com/contoso/gitops.git");
        let (other, evil) = ("https://github.com/contoso/app", "https://evil.com/contoso/g");
        let only = NoToken::OnlyTheWorkflows.to_string();
        let lines = "https://github.com/contoso=LINE\nhttps://evil.com=EVIL";
        let longer = "https://github.com/contoso/gitops=LONGER";
        for (github, gitops_token, repos, want, why) in [
            ("", "", "", ["-", "-", "-", "-"], "nothing"),
            ("pat", "", "", ["pat", "pat", "-", "-"], "the default for GitOps repositories"),
            ("ghs_w", "", "", ["ghs_w", &*only, "-", "-"], "the workflow's token is for its own repository"),
            ("ghs_w", "one", "", ["ghs_w", "one", "-", "-"], "a token for each role"),
            ("ghs_w", "ghs_a", "", ["ghs_w", "ghs_a", "-", "-"], "given on purpose"),
            ("pat", lines, "", ["pat", "LINE", "-", "EVIL"], "lines of the role are for its repositories"),
            ("pat", lines, longer, ["pat", "LINE", "-", "EVIL"], "the role goes before the prefix"),
            ("pat", lines, "https://github.com/contoso=R", ["pat", "LINE", "R", "EVIL"], "of two the role's"),
            ("ghs_w", "", longer, ["ghs_w", "LONGER", "-", "-"], "a prefix goes before the default"),
        ] {
            let some = |text| Some(text).filter(|text: &&str| !text.is_empty());
            let tokens = tokens(Given {
                github_token: some(github),
                gitops_token: some(gitops_token),
                repo_tokens: some(repos),
            });
            assert_eq!([plane, gitops, other, evil].map(|at| found(&tokens, at)), want, "{why}");
        }
    }

    #[test]
    fn what_cannot_be_a_token_is_refused_without_being_said() {
        for (input, text, want) in [
            ("repo-tokens", "SECRET", "line 1: there is no `=`"),
            ("repo-tokens", "https://x.com=a\n=SECRET", "line 2: what stands before `=` is no URL"),
            ("repo-tokens", "github.com/contoso=SECRET", "line 1: what stands before `=` is no URL"),
            ("repo-tokens", "http://x.com=SECRET", "must begin with https://"),
            ("repo-tokens", "ftp://x.com=SECRET", "must begin with https://"),
            ("repo-tokens", "https://me:SECRET@x.com=a", "scheme, host and path only"),
            ("repo-tokens", "https://x.com?SECRET=a", "scheme, host and path only"),
            ("repo-tokens", "https://x.com= ", "there is no token after `=`"),
            ("repo-tokens", "https://x.com=SEC RET", "holds a space"),
            (
                "repo-tokens",
                "https://x.com/a=SECRET\nhttps://x.com/a/=b",
                "line 2: there is a token for this prefix",
            ),
            ("gitops-token", "https://x.com", "line 1: there is no `=`"),
            ("gitops-token", "SECRET\nother", "holds a space"),
            ("github-token", "SECRET\nother", "holds a space"),
        ] {
            let given = match input {
                "repo-tokens" => Given { repo_tokens: Some(text), ..Given::default() },
                "gitops-token" => Given { gitops_token: Some(text), ..Given::default() },
                _ => Given { github_token: Some(text), ..Given::default() },
            };
            let failure = Tokens::new(given, &url("https://github.com"), None, None).unwrap_err();
            let said = failure.reason();
            assert!(said.contains(want) && said.contains(input), "{said}");
            assert!(!format!("{failure:?}").contains("SECRET"), "{said}");
        }
    }

    #[test]
    fn secrets_are_known_for_masks_and_not_shown() {
        let tokens = tokens(Given {
            github_token: Some("s3cret-1"),
            gitops_token: Some("https://github.com=s3cret-2"),
            repo_tokens: Some("https://github.com/a=s3cret-3"),
        });
        let all: Vec<String> = tokens.all().iter().map(|token| token.expose().to_owned()).collect();
        assert_eq!(all, ["s3cret-1", "s3cret-2", "s3cret-3"]);
        assert!(!format!("{tokens:?}").contains("s3cret"));
    }
}
