//! Who asks, and what they may do.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::Value;

/// A part of a repository that is allowed for apart from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Workflows and their runs.
    Actions,
    /// Commits, branches, files.
    Contents,
    /// Issues with their comments and labels.
    Issues,
    /// That the repository exists, and how it is set up.
    Metadata,
    /// Pull requests with their comments and labels.
    PullRequests,
    /// Statuses of commits.
    Statuses,
}

impl Scope {
    /// Every one of them.
    pub const ALL: [Scope; 6] = [
        Scope::Actions,
        Scope::Contents,
        Scope::Issues,
        Scope::Metadata,
        Scope::PullRequests,
        Scope::Statuses,
    ];

    /// The name that GitHub has for it.
    pub fn name(self) -> &'static str {
        match self {
            Scope::Actions => "actions",
            Scope::Contents => "contents",
            Scope::Issues => "issues",
            Scope::Metadata => "metadata",
            Scope::PullRequests => "pull_requests",
            Scope::Statuses => "statuses",
        }
    }
}

/// How much is allowed in a [`Scope`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing.
    None,
    /// Looking.
    Read,
    /// Looking and changing.
    Write,
}

impl Level {
    /// The name that GitHub has for it.
    pub fn name(self) -> &'static str {
        match self {
            Level::None => "none",
            Level::Read => "read",
            Level::Write => "write",
        }
    }
}

/// What a token allows, where, for how long, and in whose name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    repositories: BTreeSet<String>,
    owner: Option<String>,
    levels: BTreeMap<Scope, Level>,
    login: String,
    lifetime: Option<Duration>,
    requests_per_hour: Option<u64>,
}

impl Access {
    /// Reading everything in a repository.
    pub fn read(repository: &str) -> Access {
        Access::everywhere_in_none(Level::Read).and(repository)
    }

    /// Reading and writing everything in a repository.
    pub fn write(repository: &str) -> Access {
        Access::everywhere_in_none(Level::Write).and(repository)
    }

    /// Reading and writing everything in all repositories of an owner.
    pub fn write_all_of(owner: &str) -> Access {
        Access { owner: Some(owner.to_lowercase()), ..Access::everywhere_in_none(Level::Write) }
    }

    /// The same in one more repository.
    pub fn and(mut self, repository: &str) -> Access {
        self.repositories.insert(repository.to_lowercase());
        self
    }

    /// Another level for one scope.
    pub fn with(mut self, scope: Scope, level: Level) -> Access {
        self.levels.insert(scope, level);
        self
    }

    /// In the name of this user; without it, of `github-actions[bot]`.
    pub fn named(mut self, login: &str) -> Access {
        login.clone_into(&mut self.login);
        self
    }

    /// Until this much time has passed on the sandbox's clock.
    pub fn valid_for(mut self, lifetime: Duration) -> Access {
        self.lifetime = Some(lifetime);
        self
    }

    /// With another primary limit than [`crate::Limits::requests_per_hour`].
    pub fn requests_per_hour(mut self, requests: u64) -> Access {
        self.requests_per_hour = Some(requests);
        self
    }

    fn everywhere_in_none(level: Level) -> Access {
        Access {
            repositories: BTreeSet::new(),
            owner: None,
            levels: Scope::ALL.into_iter().map(|scope| (scope, level)).collect(),
            login: "github-actions[bot]".to_owned(),
            lifetime: None,
            requests_per_hour: None,
        }
    }
}

/// A token that the sandbox knows.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    access: Access,
    expires: Option<Timestamp>,
    from_app: bool,
}

impl Grant {
    pub(crate) fn new(access: Access, now: Timestamp) -> Grant {
        let expires = access.lifetime.map(|lifetime| now + lifetime);
        Grant { access, expires, from_app: false }
    }

    /// What GitHub mints for an App's installation: an hour, for one owner.
    pub(crate) fn of_app(app: &App, now: Timestamp) -> Grant {
        let access = app.access.clone().valid_for(app.token_lifetime).named(&format!("{}[bot]", app.slug));
        Grant { from_app: true, ..Grant::new(access, now) }
    }

    pub(crate) fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }

    pub(crate) fn covers(&self, owner: &str, full_name: &str) -> bool {
        self.access.repositories.contains(full_name) || self.access.owner.as_deref() == Some(owner)
    }

    pub(crate) fn level(&self, scope: Scope) -> Level {
        self.access.levels.get(&scope).copied().unwrap_or(Level::None)
    }

    pub(crate) fn login(&self) -> &str {
        &self.access.login
    }

    pub(crate) fn requests_per_hour(&self) -> Option<u64> {
        self.access.requests_per_hour
    }

    /// Whether GitHub signs the commits that are made with it.
    pub(crate) fn signs_commits(&self) -> bool {
        self.from_app || self.access.login == "github-actions[bot]"
    }
}

/// A GitHub App with one installation.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) id: u64,
    pub(crate) installation: u64,
    pub(crate) slug: String,
    pub(crate) owner: String,
    pub(crate) access: Access,
    pub(crate) token_lifetime: Duration,
    /// As PKCS#1 DER.
    pub(crate) public_key: Vec<u8>,
}

/// What a request brings along to say who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Credential {
    /// None.
    Absent,
    /// A token, as bearer or as password.
    Token(String),
    /// Something that is none of these.
    Unreadable,
}

impl Credential {
    /// Reads an `Authorization` header.
    pub(crate) fn read(header: Option<&str>) -> Credential {
        let Some(header) = header else { return Credential::Absent };
        let Some((scheme, value)) = header.split_once(' ') else { return Credential::Unreadable };
        let value = value.trim();
        match scheme.to_ascii_lowercase().as_str() {
            "bearer" | "token" => Credential::Token(value.to_owned()),
            "basic" => password(value).map_or(Credential::Unreadable, Credential::Token),
            _ => Credential::Unreadable,
        }
    }

    pub(crate) fn token(&self) -> Option<&str> {
        match self {
            Credential::Token(token) => Some(token),
            Credential::Absent | Credential::Unreadable => None,
        }
    }
}

fn password(encoded: &str) -> Option<String> {
    let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    // A token is taken in either place, as on GitHub.
    Some(if password.is_empty() || password == "x-oauth-basic" { user } else { password }.to_owned())
}

/// Checks an App's JSON web token, and says whose it is or what is wrong with it.
pub(crate) fn check_app_token<'a>(
    jwt: &str,
    apps: &'a [App],
    now: Timestamp,
) -> Result<&'a App, &'static str> {
    const UNREADABLE: &str = "A JSON web token could not be decoded";
    let (signed, signature) = jwt.rsplit_once('.').ok_or(UNREADABLE)?;
    let (header, claims) = signed.split_once('.').ok_or(UNREADABLE)?;
    let decode = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| UNREADABLE);
    let read = |part: &str| serde_json::from_slice::<Value>(&decode(part)?).map_err(|_| UNREADABLE);
    let (header, claims) = (read(header)?, read(claims)?);
    if header["alg"] != "RS256" {
        return Err(UNREADABLE);
    }
    let issuer = claims["iss"].as_u64().or_else(|| claims["iss"].as_str()?.parse().ok());
    let app = apps.iter().find(|app| Some(app.id) == issuer).ok_or("Integration not found")?;
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &app.public_key)
        .verify(signed.as_bytes(), &decode(signature)?)
        .map_err(|_| UNREADABLE)?;
    let now = now.as_second();
    let (Some(issued), Some(ends)) = (claims["iat"].as_i64(), claims["exp"].as_i64()) else {
        return Err(UNREADABLE);
    };
    match () {
        () if issued > now => Err("'Issued at' claim ('iat') is in the future"),
        () if ends <= now => Err("'Expiration time' claim ('exp') is not in the future"),
        () if ends > now + 600 => Err("'Expiration time' claim ('exp') is too far in the future"),
        () => Ok(app),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_read_from_the_header() {
        let token = |text: &str| Credential::Token(text.to_owned());
        let table = [
            (None, Credential::Absent, "no header"),
            (Some("Bearer abc"), token("abc"), "as most clients send it"),
            (Some("token abc"), token("abc"), "the older form"),
            (Some("Basic eDphYmM="), token("abc"), "x:abc"),
            (Some("Basic YWJjOg=="), token("abc"), "abc: with nothing as password"),
            (Some("Basic ???"), Credential::Unreadable, "not base64"),
            (Some("abc"), Credential::Unreadable, "no scheme"),
        ];
        for (header, want, why) in table {
            assert_eq!(Credential::read(header), want, "{why}");
        }
    }

    #[test]
    fn access_is_to_repositories_and_scopes() {
        let now = Timestamp::UNIX_EPOCH;
        let access = Access::write("contoso/Gitops")
            .with(Scope::Issues, Level::None)
            .valid_for(Duration::from_secs(9));
        let grant = Grant::new(access, now);
        assert!(grant.covers("contoso", "contoso/gitops"));
        assert!(!grant.covers("contoso", "contoso/applications"));
        assert_eq!(grant.level(Scope::Contents), Level::Write);
        assert_eq!(grant.level(Scope::Issues), Level::None);
        assert!(!grant.is_over(now + Duration::from_secs(8)));
        assert!(grant.is_over(now + Duration::from_secs(9)));
    }
}
