//! Repositories on servers: their branches, and single commits of them, without history.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::io;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ::url::Url;
use anyhow::Context;
use backon::{BlockingRetryable, ExponentialBuilder};
use gix::bstr::{BString, ByteSlice};
use gix::odb::pack::Bundle;
use gix::protocol::fetch::{Arguments, Response};
use gix::protocol::handshake::Ref;
use gix::protocol::ls_refs::RefPrefixes;
use gix::protocol::transport::client::blocking_io::ExtendedBufRead;
use gix::protocol::transport::client::blocking_io::http::Transport;
use gix::protocol::transport::{Protocol, Service};
use gix::protocol::{Command, Handshake, LsRefsCommand};
use reqwest::blocking::Client;
use tempfile::TempDir;

use super::objects::{Coverage, MAX_OBJECT_BYTES, Objects, sentence};
use super::wire::{Route, Wire};
use super::{CommitId, GitError, GitProblem, Secret};
use crate::world::http::is_loopback;

const HEADS: &str = "refs/heads/";
const AGENT: (&str, &str) = ("agent", concat!("kalypso/", env!("CARGO_PKG_VERSION")));
/// A server may ask to be left alone; more than this is not waited for.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// What is asked of servers at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Until a connection stands
    pub(crate) connect: Duration,
    /// Between two signs of life
    pub(crate) stall: Duration,
    /// From the first question to the last byte
    pub(crate) whole: Duration,
    /// Of one pack
    pub(crate) pack_bytes: u64,
    /// Of one question, the first included
    pub(crate) tries: usize,
    /// Before the second try; eight times as long before the third, and so on
    pub(crate) pause: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connect: Duration::from_secs(10),
            stall: Duration::from_secs(30),
            whole: Duration::from_secs(15 * 60),
            pack_bytes: 2 << 30,
            tries: 3,
            pause: Duration::from_millis(250),
        }
    }
}

/// Which token belongs to a URL, or why it cannot be had.
pub(crate) type Credentials<'a> = &'a (dyn Fn(&Url) -> Result<Option<Secret>, String> + Sync);

/// What is to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The head of a branch
    Branch(String),
    /// A commit, whether or not a branch leads to it
    Commit(CommitId),
}

/// The connections that all remotes share. Any number of threads may use it.
#[derive(Debug)]
pub(crate) struct Remotes {
    client: Client,
    /// For this machine, where no proxy may stand between.
    direct: Client,
    limits: Limits,
}

impl Remotes {
    /// Connections that are secured by `tls`.
    pub(crate) fn new(mut tls: rustls::ClientConfig, limits: Limits) -> anyhow::Result<Remotes> {
        // One connection for each fetch: those that share one also share its window, and wait for the slowest.
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let client = || {
            Client::builder()
                .user_agent(concat!("git/kalypso-", env!("CARGO_PKG_VERSION")))
                .tls_backend_preconfigured(tls.clone())
                .http1_only()
                .no_gzip()
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(limits.connect)
                .timeout(limits.stall)
        };
        let build = |client: reqwest::blocking::ClientBuilder| client.build().context("cannot use TLS");
        Ok(Remotes { client: build(client())?, direct: build(client().no_proxy())?, limits })
    }

    /// The repository at `url`, which is asked with `credentials`.
    pub(crate) fn at<'a>(&'a self, url: &'a Url, credentials: Credentials<'a>) -> Remote<'a> {
        let client = if is_loopback(url) { &self.direct } else { &self.client };
        Remote { client, limits: &self.limits, url, credentials }
    }
}

/// A repository on a server.
pub(crate) struct Remote<'a> {
    client: &'a Client,
    limits: &'a Limits,
    url: &'a Url,
    credentials: Credentials<'a>,
}

impl fmt::Debug for Remote<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remote({})", self.url)
    }
}

impl Remote<'_> {
    /// The commit that a branch leads to, if there is such a branch.
    pub(crate) fn head(&self, branch: &str) -> Result<Option<CommitId>, GitError> {
        Ok(self.heads(branch)?.remove(branch))
    }

    /// The branches whose names begin with `start`, and the commits that they lead to.
    pub(crate) fn heads(&self, start: &str) -> Result<BTreeMap<String, CommitId>, GitError> {
        self.persistently(|| self.session()?.heads(start))
    }

    /// Fetches what a single commit holds, without its history. It is on disk until the objects are dropped.
    pub(crate) fn fetch(&self, wanted: &Wanted) -> Result<(Objects, CommitId), GitError> {
        self.persistently(|| {
            let mut session = self.session()?;
            let commit = match wanted {
                Wanted::Commit(commit) => *commit,
                Wanted::Branch(branch) => session.head(branch)?,
            };
            Ok((session.fetch(commit)?, commit))
        })
    }

    /// Reads repeat freely, but only what may go better a moment later is worth it.
    fn persistently<T>(&self, attempt: impl FnMut() -> Result<T, GitError>) -> Result<T, GitError> {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(self.limits.pause)
            .with_factor(8.0)
            .with_max_times(self.limits.tries.saturating_sub(1))
            .with_jitter();
        let is_worth_it = |error: &GitError| match &error.problem {
            GitProblem::Unreachable { wait, .. } => wait.is_none_or(|wait| wait <= MAX_WAIT),
            _ => false,
        };
        let wait_longer = |error: &GitError, pause: Duration| {
            if let GitProblem::Unreachable { wait: Some(wait), .. } = &error.problem {
                std::thread::sleep(wait.saturating_sub(pause));
            }
        };
        attempt.retry(pauses).when(is_worth_it).notify(wait_longer).call()
    }

    fn session(&self) -> Result<Session<'_>, GitError> {
        let (wire, route) = Wire::new(self.client, self.credentials, self.limits, self.url);
        let error = |error: &gix::Error| explained(self.url, &route, error);
        let url = gix::Url::try_from(self.url.as_str()).map_err(|problem| error(&problem))?;
        let mut transport = Transport::new_http(wire, url, Protocol::V2, false);
        // The wire brings its own credentials.
        let nobody = |_| Ok(None);
        let handshake = gix::protocol::handshake(
            &mut transport,
            Service::UploadPack,
            nobody,
            Vec::new(),
            &mut gix::progress::Discard,
        );
        let handshake = handshake.map_err(|problem| error(&problem))?;
        Ok(Session { url: self.url, route, transport, handshake })
    }
}

/// A conversation with a server.
struct Session<'a> {
    url: &'a Url,
    route: Rc<RefCell<Route>>,
    transport: Transport<Wire<'a>>,
    handshake: Handshake,
}

impl Session<'_> {
    fn head(&mut self, branch: &str) -> Result<CommitId, GitError> {
        match self.heads(branch)?.remove(branch) {
            Some(commit) => Ok(commit),
            None => {
                let near = near(branch, self.heads("")?.into_keys().collect());
                Err(self.error(GitProblem::NoSuchBranch { branch: branch.to_owned(), near }))
            }
        }
    }

    fn heads(&mut self, start: &str) -> Result<BTreeMap<String, CommitId>, GitError> {
        if start.chars().any(|c| c.is_control() || c == ' ') {
            return Ok(BTreeMap::new());
        }
        let prefix = format!("{HEADS}{start}");
        let refs = match &self.handshake.refs {
            Some(all) => all.clone(),
            None => self.list(&prefix).map_err(|error| self.explained(&error))?,
        };
        let head = |found: Ref| {
            let (name, target, peeled) = found.unpack();
            let name = name.strip_prefix(HEADS.as_bytes())?.to_str().ok()?;
            Some((name.to_owned(), CommitId(peeled.or(target)?.to_owned())))
                .filter(|_| name.starts_with(start))
        };
        Ok(refs.into_iter().filter_map(head).collect())
    }

    fn list(&mut self, prefix: &str) -> gix::Result<Vec<Ref>> {
        let mut prefixes = RefPrefixes::new();
        prefixes.extend([BString::from(prefix)]);
        LsRefsCommand::new(Some(prefixes), &self.handshake.capabilities, agent()).invoke_blocking(
            &mut self.transport,
            &mut gix::progress::Discard,
            false,
        )
    }

    fn fetch(&mut self, commit: CommitId) -> Result<Objects, GitError> {
        let no_place = |error: io::Error| self.error(GitProblem::NoPlace(error.to_string()));
        let folder = temporary_folder().map_err(no_place)?;
        let packs = folder.path().join("pack");
        std::fs::create_dir(&packs).map_err(no_place)?;
        self.receive(commit, &packs).map_err(|error| {
            match self.explained(&error) {
                // Servers say it in words only.
                GitError { problem: GitProblem::Unusable(why), .. }
                    if why.contains("not our ref") || why.contains("unadvertised object") =>
                {
                    self.error(GitProblem::NoSuchCommit(commit))
                }
                error => error,
            }
        })?;
        let path = folder.path().to_owned();
        let objects = Objects::open(self.url.to_string(), &path, Coverage::Full, Some(folder))?;
        match objects.contains(commit) {
            true => Ok(objects),
            false => Err(self.error(GitProblem::NoSuchCommit(commit))),
        }
    }

    /// Asks for one commit and keeps the pack that comes.
    fn receive(&mut self, commit: CommitId, packs: &std::path::Path) -> gix::Result<()> {
        let version = self.handshake.server_protocol_version;
        let mut features = Command::Fetch.default_features(version, &self.handshake.capabilities);
        // Its use starts where the pack does.
        features.retain(|(name, _)| *name != "sideband-all");
        features.push(agent());
        Response::check_required_features(version, &features)?;
        let mut arguments = Arguments::new(version, features, false);
        arguments.want(commit.0);
        if arguments.can_use_shallow() {
            arguments.deepen(1);
        }
        let mut reader = arguments.send(&mut self.transport, true).map_err(gix::Error::from_error)?;
        Response::from_line_reader(version, &mut reader, true, false)?;
        // What the server says meanwhile is nothing that people need, but it is told apart only for a listener.
        reader.set_progress_handler(Some(Box::new(|_, _| ControlFlow::Continue(()))));
        let options = gix::odb::pack::bundle::write::Options {
            // Fetches run side by side.
            thread_limit: Some(1),
            alloc_limit_bytes: Some(MAX_OBJECT_BYTES),
            ..Default::default()
        };
        Bundle::write_to_directory(
            &mut reader,
            Some(packs),
            &mut gix::progress::Discard,
            &AtomicBool::new(false),
            // Nothing is here yet that a pack could build upon.
            None::<gix::OdbHandle>,
            gix::hash::Kind::Sha1,
            options,
        )?;
        Ok(())
    }

    fn explained(&self, error: &gix::Error) -> GitError {
        explained(self.url, &self.route, error)
    }

    fn error(&self, problem: GitProblem) -> GitError {
        GitError { repository: self.url.to_string(), problem }
    }
}

/// What went wrong on the wire, else what the library makes of what came over it.
fn explained(url: &Url, route: &RefCell<Route>, error: &gix::Error) -> GitError {
    let problem = route.borrow_mut().trouble().unwrap_or_else(|| GitProblem::Unusable(sentence(error)));
    GitError { repository: url.to_string(), problem }
}

/// A folder for what is fetched. A container whose own files are read-only has none but the job's home.
fn temporary_folder() -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("kalypso-git-");
    builder.tempdir().or_else(|error| match env::var_os("HOME") {
        Some(home) => builder.tempdir_in(home).map_err(|_| error),
        None => Err(error),
    })
}

fn agent() -> (&'static str, Option<String>) {
    (AGENT.0, Some(AGENT.1.to_owned()))
}

/// A few names that begin most like `name`.
fn near(name: &str, mut names: Vec<String>) -> Vec<String> {
    let common = |other: &String| {
        let pairs = name.chars().zip(other.chars());
        pairs.take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count()
    };
    names.sort_by_key(|other| std::cmp::Reverse(common(other)));
    names.truncate(3);
    names
}

#[cfg(test)]
mod tests {
    use fleet::RepoPath;

    use super::*;
    use crate::world::git::Login;
    use crate::world::git::trial::{Seen, Server, answer, git, repository};

    fn remotes(limits: Limits) -> Remotes {
        let roots = rustls::RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        Remotes::new(tls.unwrap().with_root_certificates(roots).with_no_client_auth(), limits).unwrap()
    }

    fn quick() -> Remotes {
        remotes(Limits { pause: Duration::ZERO, ..Limits::default() })
    }

    fn branch(name: &str) -> Wanted {
        Wanted::Branch(name.to_owned())
    }

    const ANONYMOUS: Credentials<'static> = &|_| Ok(None);
    const HONEST: fn(usize, &Seen) -> Option<Vec<u8>> = |_, _| None;

    #[test]
    fn what_is_fetched() {
        let folder = repository();
        let at = folder.path();
        let first = git(at, &["rev-parse", "HEAD"]);
        std::fs::write(at.join("a.yaml"), "a: 1\n").unwrap();
        git(at, &["add", "-A"]);
        git(at, &["commit", "-q", "-m", "second"]);
        git(at, &["branch", "team/dev", &first]);
        git(at, &["tag", "-a", "v1", "-m", "x"]);
        let second = git(at, &["rev-parse", "HEAD"]);
        let server = Server::start(at, HONEST);
        let (remotes, url) = (quick(), server.url(".git"));
        let remote = remotes.at(&url, ANONYMOUS);

        assert_eq!(remote.head("main").unwrap().unwrap().to_string(), second);
        assert_eq!(remote.head("mai").unwrap(), None, "a beginning is no branch");
        assert_eq!(remote.head("v1").unwrap(), None, "a tag is no branch");
        assert_eq!(remote.heads("team/").unwrap().into_keys().collect::<Vec<_>>(), ["team/dev"]);

        let questions = server.seen().len();
        let (objects, commit) = remote.fetch(&branch("main")).unwrap();
        assert_eq!(server.seen().len() - questions, 3, "capabilities, branches, pack");
        assert_eq!(commit.to_string(), second);
        let tree = objects.tree(commit).unwrap();
        assert_eq!(tree.id().to_string(), git(at, &["rev-parse", "HEAD^{tree}"]));
        let source = objects.source(commit, &RepoPath::default(), "").unwrap();
        assert_eq!(source.files.keys().collect::<Vec<_>>(), ["a.yaml"]);
        assert!(!objects.contains(CommitId::new(&first).unwrap()), "no history");

        let questions = server.seen().len();
        let wanted = CommitId::new(&first).unwrap();
        let (objects, commit) = remote.fetch(&Wanted::Commit(wanted)).unwrap();
        assert_eq!(server.seen().len() - questions, 2, "capabilities, pack");
        assert_eq!((commit, objects.tree(commit).unwrap().files.len()), (wanted, 1));
        let place = objects.place().unwrap().to_owned();
        assert!(place.exists());
        drop(objects);
        assert!(!place.exists(), "the folder goes with the objects");
    }

    #[test]
    fn what_is_not_there() {
        let folder = repository();
        git(folder.path(), &["branch", "release-1"]);
        let server = Server::start(folder.path(), HONEST);
        let (remotes, url) = (quick(), server.url(".git"));
        let remote = remotes.at(&url, ANONYMOUS);
        let got = remote.fetch(&branch("release-2")).unwrap_err();
        let near = vec!["release-1".to_owned(), "main".to_owned()];
        assert_eq!(got.problem, GitProblem::NoSuchBranch { branch: "release-2".to_owned(), near });
        let unknown = CommitId::new(&"1".repeat(40)).unwrap();
        let got = remote.fetch(&Wanted::Commit(unknown)).unwrap_err();
        assert_eq!(got.problem, GitProblem::NoSuchCommit(unknown));
        let tree = CommitId::new(&git(folder.path(), &["rev-parse", "HEAD^{tree}"])).unwrap();
        let got = remote.fetch(&Wanted::Commit(tree)).unwrap_err();
        assert_eq!(got.problem, GitProblem::NoSuchCommit(tree), "a tree is no commit");
        for odd in ["a b", "a\nb", "", "refs/heads/main", "-x"] {
            assert_eq!(remote.head(odd).unwrap(), None, "{odd:?}");
        }
        let url = server.url("gone.git");
        let got = remotes.at(&url, ANONYMOUS).head("main").unwrap_err();
        assert_eq!(got.problem, GitProblem::NoAccess(Login::Anonymous));
    }

    #[test]
    fn tokens_go_where_they_belong() {
        let folder = repository();
        let other = Server::start(folder.path(), HONEST);
        let elsewhere = other.url("moved.git/info/refs?service=git-upload-pack").to_string();
        let server = Server::start(folder.path(), move |_, seen| {
            let target = seen.line.split(' ').nth(1).unwrap();
            match target.split('/').nth(1).unwrap() {
                "away.git" => answer("302 Found", &format!("location: {elsewhere}\r\n")),
                "renamed.git" => {
                    let tail = target.trim_start_matches("/renamed.git/");
                    answer("301 Moved Permanently", &format!("location: /.git/{tail}\r\n"))
                }
                "login.git" => answer("302 Found", "location: /login?next=x\r\n"),
                "round.git" => answer("302 Found", &format!("location: {target}\r\n")),
                _ if seen.header("authorization").is_none() => answer("401 Unauthorized", ""),
                _ => None,
            }
        });
        let remotes = quick();
        let secret_of = |url: &Url| Ok(url.path().starts_with("/.git").then(|| Secret::new("canary")));
        let credentials = &secret_of;
        let url = server.url(".git");
        assert!(remotes.at(&url, credentials).head("main").unwrap().is_some());
        // x-access-token:canary
        let sent = Some("Basic eC1hY2Nlc3MtdG9rZW46Y2FuYXJ5");
        assert!(server.seen().iter().all(|seen| seen.header("authorization") == sent));

        let asked = server.seen().len();
        let url = server.url("renamed.git");
        assert!(remotes.at(&url, credentials).fetch(&branch("main")).is_ok());
        let seen = server.seen().split_off(asked);
        assert_eq!(seen[0].header("authorization"), None, "the old place is not covered");
        assert!(seen[1..].iter().all(|seen| seen.header("authorization") == sent));

        let refusals = [
            ("away.git", "it leads to 127.0.0.1, which is not followed"),
            ("login.git", "it leads to 127.0.0.1, which is not followed"),
            ("round.git", "it leads from one place to the next"),
        ];
        let always = |_: &Url| Ok(Some(Secret::new("canary")));
        for (path, want) in refusals {
            let url = server.url(path);
            let got = remotes.at(&url, &always).head("main").unwrap_err();
            assert_eq!(got.problem, GitProblem::Refused(want.to_owned()), "{path}");
        }
        assert!(other.seen().is_empty(), "nothing is asked elsewhere");
        let url = server.url(".git");
        let none = |_: &Url| Err("the App is not installed there".to_owned());
        let got = remotes.at(&url, &none).head("main").unwrap_err();
        assert_eq!(got.problem, GitProblem::NoToken("the App is not installed there".to_owned()));
    }

    #[test]
    fn answers_that_are_none() {
        let folder = repository();
        let unreachable = |why: &str| GitProblem::Unreachable { why: why.to_owned(), wait: None };
        let cases: [(fn() -> Option<Vec<u8>>, usize, GitProblem); 6] = [
            (|| answer("401 Unauthorized", ""), 1, GitProblem::NoAccess(Login::Token)),
            (|| answer("403 Forbidden", ""), 1, GitProblem::NoAccess(Login::Token)),
            (|| answer("404 Not Found", ""), 1, GitProblem::NoAccess(Login::Token)),
            (|| answer("502 Bad Gateway", ""), 3, unreachable("it answers 502 Bad Gateway")),
            (
                || answer("429 Too Many Requests", "retry-after: 3600\r\n"),
                1,
                GitProblem::Unreachable {
                    why: "it answers 429 Too Many Requests".to_owned(),
                    wait: Some(Duration::from_secs(3600)),
                },
            ),
            (
                || answer("418 I'm a teapot", ""),
                1,
                GitProblem::Unusable("it answers 418 I'm a teapot".to_owned()),
            ),
        ];
        for (answers, tries, want) in cases {
            let server = Server::start(folder.path(), move |_, _| answers());
            let (remotes, url) = (quick(), server.url(".git"));
            let always = |_: &Url| Ok(Some(Secret::new("canary")));
            let got = remotes.at(&url, &always).head("main").unwrap_err();
            assert_eq!(got.problem, want);
            assert_eq!(server.seen().len(), tries, "{want:?}");
            assert!(!format!("{got:?} {got} {}", got.help()).contains("canary"));
        }
        let server = Server::start(folder.path(), |number, _| {
            [Some(Vec::new()), answer("503 Busy", "retry-after: 0\r\n")].get(number).cloned().flatten()
        });
        let url = server.url(".git");
        assert!(quick().at(&url, ANONYMOUS).head("main").unwrap().is_some(), "the third try succeeds");
    }

    #[test]
    fn servers_that_talk_nonsense() {
        let folder = repository();
        let say = |kind: &str, text: &str| {
            let kind =
                format!("content-type: application/x-git-upload-pack-{kind}\r\nconnection: close\r\n\r\n");
            Some(format!("HTTP/1.1 200 OK\r\n{kind}{text}").into_bytes())
        };
        let page = || {
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n";
            Some(format!("{head}<p>log in</p>").into_bytes())
        };
        let long = "0010version 9\n0000".to_owned() + &"x".repeat(1 << 20);
        for text in ["", "zzzz", "0000", "0001", "000eversion 2\n", "fff0half", "0010version 9\n0000", &long]
        {
            let text = text.to_owned();
            let server = Server::start(folder.path(), move |_, _| say("advertisement", &text));
            let url = server.url(".git");
            let got = quick().at(&url, ANONYMOUS).head("main").unwrap_err();
            assert!(!got.is_transient() || got.to_string().contains("broke off"), "{got}");
            assert!(got.to_string().len() < 600, "{got}");
        }
        let server = Server::start(folder.path(), move |_, _| page());
        let url = server.url(".git");
        let got = quick().at(&url, ANONYMOUS).head("main").unwrap_err();
        assert!(matches!(got.problem, GitProblem::Unusable(_)), "{got}");
        // Half of a pack, and one that is no pack.
        for text in ["000dpackfile\n", "000dpackfile\n000a\u{1}PACK\n0000", "000eERR sorry\n", "0009acks\n"] {
            let server = Server::start(folder.path(), move |number, _| match number % 3 {
                2 => say("result", text),
                _ => None,
            });
            let url = server.url(".git");
            let got = quick().at(&url, ANONYMOUS).fetch(&branch("main")).unwrap_err();
            assert!(got.to_string().len() < 600, "{got}");
        }
    }

    #[test]
    fn limits_hold() {
        let folder = repository();
        let noise: Vec<u8> =
            (0..1u32 << 16).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        std::fs::write(folder.path().join("noise"), noise).unwrap();
        git(folder.path(), &["add", "-A"]);
        git(folder.path(), &["commit", "-q", "-m", "noise"]);
        let server = Server::start(folder.path(), HONEST);
        let url = server.url(".git");
        let small = remotes(Limits { pack_bytes: 100 << 10, ..Limits::default() });
        let got = small.at(&url, ANONYMOUS).fetch(&branch("main")).unwrap_err();
        assert_eq!(got.problem, GitProblem::TooLarge("it sends more than is read".to_owned()));
        let short = remotes(Limits { whole: Duration::ZERO, tries: 1, ..Limits::default() });
        let got = short.at(&url, ANONYMOUS).fetch(&branch("main")).unwrap_err();
        assert_eq!(got.problem, GitProblem::TooSlow, "not tried again");
        let stalled = Server::start(folder.path(), |_, _| {
            std::thread::sleep(Duration::from_secs(5));
            None
        });
        let url = stalled.url(".git");
        let hasty = remotes(Limits { stall: Duration::from_millis(50), tries: 1, ..Limits::default() });
        let got = hasty.at(&url, ANONYMOUS).head("main").unwrap_err();
        assert!(got.to_string().ends_with("it does not answer in time"), "{got}");
    }

    #[test]
    fn may_be_shared() {
        fn shared<T: Send + Sync>() {}
        shared::<Remotes>();
        shared::<Remote<'_>>();
        shared::<Objects>();
        shared::<crate::world::git::Workspace>();
    }
}
