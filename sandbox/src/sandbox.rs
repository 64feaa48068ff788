//! The sandbox as its owner sees it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use crate::azure::{self, Azure, AzureState};
use crate::faults::{At, Event, Fault, Script};
use crate::limits::Limits;
use crate::repository::Repository;
use crate::server::{Kind, Request, Server, Shared, State, runtime};
use crate::state::{Clock, GitHub, Visibility};
use crate::tokens::{Access, App, Grant};
use crate::world::World;

/// How long the token of an App is good for, as on GitHub.
const APP_TOKEN_LIFETIME: Duration = Duration::from_secs(3600);

/// A GitHub-compatible server on loopback, which ends when it is dropped.
pub struct Sandbox {
    server: Server,
}

/// A world to go back to.
pub struct Saved {
    github: GitHub,
    azure: AzureState,
    _folder: TempDir,
}

impl Sandbox {
    /// Starts a server on a free port, with nothing in it.
    pub fn start() -> Result<Sandbox> {
        Sandbox::start_on(0)
    }

    /// Starts a server on this port.
    pub fn start_on(port: u16) -> Result<Sandbox> {
        Ok(Sandbox { server: Server::start(port)? })
    }

    /// The address of the server: `GITHUB_SERVER_URL`.
    pub fn url(&self) -> String {
        self.shared().lock().github.url.clone()
    }

    /// The address of its REST interface: `GITHUB_API_URL`.
    pub fn api_url(&self) -> String {
        format!("{}/api/v3", self.url())
    }

    /// The address of its GraphQL interface: `GITHUB_GRAPHQL_URL`.
    pub fn graphql_url(&self) -> String {
        format!("{}/api/graphql", self.url())
    }

    /// Makes an empty repository, `owner/name`, with issues and `main` as default branch.
    pub fn create_repository(&self, full_name: &str, visibility: Visibility) -> Result<Repository> {
        self.shared().lock().github.create_repository(full_name, visibility)?;
        Ok(self.repository(full_name))
    }

    /// A repository that is there.
    pub fn repository(&self, full_name: &str) -> Repository {
        Repository::new(self.shared().clone(), full_name)
    }

    /// Makes a token known, or changes what it allows.
    pub fn token(&self, token: &str, access: Access) {
        let github = &mut self.shared().lock().github;
        let grant = Grant::new(access, github.now());
        github.grants.insert(token.to_owned(), grant);
    }

    /// Makes a token unknown, as when it is revoked.
    pub fn revoke(&self, token: &str) {
        self.shared().lock().github.grants.remove(token);
    }

    /// Registers a GitHub App, `slug`, that is installed for all repositories of an owner; again for another owner.
    ///
    /// The public key is an RSA one as PKCS#1 DER. The tokens it mints write everything there, for an hour.
    pub fn app(&self, id: u64, slug: &str, owner: &str, public_key: &[u8]) {
        let github = &mut self.shared().lock().github;
        let installation = github.next_id();
        github.apps.push(App {
            id,
            installation,
            slug: slug.to_owned(),
            owner: owner.to_owned(),
            access: Access::write_all_of(owner),
            token_lifetime: APP_TOKEN_LIFETIME,
            public_key: public_key.to_vec(),
        });
    }

    /// Azure, whose clusters follow the branches of the repositories here.
    pub fn azure(&self) -> Azure {
        Azure::new(self.shared().clone(), self.server.ca_file.path())
    }

    /// Sets other limits than GitHub's, from now on.
    pub fn set_limits(&self, limits: Limits) {
        self.shared().lock().github.limits = limits;
    }

    /// Lets time pass.
    pub fn advance(&self, time: Duration) {
        advance(self.shared(), time);
    }

    /// Lets time pass, once, before a request is answered.
    pub fn advance_before(&self, at: At, time: Duration) {
        let shared = Arc::downgrade(self.shared());
        self.before(at, move || {
            if let Some(shared) = shared.upgrade() {
                advance(&shared, time);
            }
            Ok(())
        });
    }

    /// Stops the clock at this many seconds after 1970: the same commits get the same names then.
    pub fn stop_clock(&self, seconds: i64) {
        let time = Timestamp::from_second(seconds).unwrap_or_default();
        self.shared().lock().github.clock = Clock::Standing(time);
    }

    /// Lets something go wrong, once.
    pub fn fault(&self, at: At, fault: Fault) {
        self.shared().lock().script.add(at, Event::Fault(fault));
    }

    /// Lets someone act, once, before a request is answered; an error is a violation.
    pub fn before(&self, at: At, act: impl FnOnce() -> Result<()> + Send + 'static) {
        self.shared().lock().script.add(at, Event::Hook(Box::new(act)));
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests_since(0)
    }

    /// Every request from an index on.
    pub fn requests_since(&self, index: usize) -> Vec<Request> {
        self.shared().lock().requests.get(index..).unwrap_or_default().to_vec()
    }

    /// What was asked that GitHub, or this sandbox, does not know, and what the sandbox itself did wrong.
    pub fn violations(&self) -> Vec<String> {
        self.shared().lock().violations.clone()
    }

    /// Where a secret was sent that must travel as a credential only: each place outside of `Authorization`, and of
    /// the fields that an application signs in to Azure with.
    pub fn leaks(&self, secret: &str) -> Vec<String> {
        self.requests().iter().flat_map(|request| leaks_of(request, secret)).collect()
    }

    /// All that the world holds, without what differs from run to run.
    pub fn snapshot(&self) -> Result<World> {
        World::of(&mut self.shared().lock().github)
    }

    /// Puts the world aside as it is now.
    pub fn save(&self) -> Result<Saved> {
        let folder = tempfile::Builder::new().prefix("sandbox").tempdir()?;
        let state = self.shared().lock();
        let mut github = state.github.clone();
        folder.path().clone_into(&mut github.folder);
        for name in github.repositories.keys() {
            state.github.bare(name).copy_to(&github.bare(name))?;
        }
        Ok(Saved { github, azure: state.azure.clone(), _folder: folder })
    }

    /// Goes back to a world: its repositories, clusters, tokens, limits and clock, and no request or fault yet.
    ///
    /// Violations stay, since nobody may miss one.
    pub fn restore(&self, saved: &Saved) -> Result<()> {
        let mut state = self.shared().lock();
        for entry in std::fs::read_dir(&state.github.folder)? {
            std::fs::remove_dir_all(entry?.path())?;
        }
        let mut github = saved.github.clone();
        github.url.clone_from(&state.github.url);
        github.folder.clone_from(&state.github.folder);
        for name in github.repositories.keys() {
            saved.github.bare(name).copy_to(&github.bare(name))?;
        }
        state.github = github;
        state.azure = saved.azure.clone().moved_to(&state.azure.url);
        state.script = Script::default();
        state.requests.clear();
        Ok(())
    }

    /// Another server with the same world in it.
    ///
    /// Its address is another one: files that name the first one's go on naming it.
    pub fn duplicate(&self) -> Result<Sandbox> {
        let copy = Sandbox::start()?;
        copy.restore(&self.save()?)?;
        Ok(copy)
    }

    /// Goes on until the process is interrupted.
    pub fn run_until_interrupted(&self) -> Result<()> {
        Ok(runtime()?.block_on(tokio::signal::ctrl_c())?)
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.server.shared
    }
}

fn advance(shared: &Shared, time: Duration) {
    let time = SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
    let mut state = shared.lock();
    let State { github, azure, .. } = &mut *state;
    // What happened so far happened before.
    azure.observe(github);
    github.advance(time);
}

/// Each place of a request, other than where a credential belongs, in which a secret can be read.
fn leaks_of(request: &Request, secret: &str) -> Vec<String> {
    let encoded = BASE64_STANDARD.encode(secret);
    let holds = |text: &str| text.contains(secret) || text.contains(&encoded);
    let mut places = Vec::new();
    let headers = request.headers.iter().filter(|(name, _)| name != "authorization");
    places.extend(headers.filter(|(_, value)| holds(value)).map(|(name, _)| format!("header {name}")));
    if holds(&request.path) || holds(&request.query) {
        places.push("address".to_owned());
    }
    let body = match request.kind {
        // Compressed: what is in it is in the repositories.
        Kind::Git => String::new(),
        Kind::Entra => azure::sign_in_without_credentials(&request.body),
        _ => String::from_utf8_lossy(&request.body).into_owned(),
    };
    if holds(&body) {
        places.push("body".to_owned());
    }
    let Request { index, method, path, .. } = request;
    places.into_iter().map(|place| format!("{place} of request {index}: {method} {path}")).collect()
}
