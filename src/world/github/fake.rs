//! A server with a script, and a clock that stands still until someone sleeps.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use url::Url;

use super::{Client, Endpoints, Github, Patience, Repo};
use crate::world::clock::Clock;
use crate::world::http::Http;
use crate::world::tokens::{Given, Tokens};

/// What a token looks like that must not show anywhere.
pub(in crate::world) const CANARY: &str = "canary-4711";

/// Answers one request after the other as scripted, then takes no more.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) url: Url,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// A request that came.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// Method, path and query
    pub(super) line: String,
    /// The headers, names in small letters
    pub(super) head: String,
    pub(super) body: String,
}

#[derive(Debug)]
pub(in crate::world) struct FakeClock(Mutex<(SystemTime, Vec<Duration>)>);

impl Server {
    /// An empty answer closes the connection.
    pub(super) fn new(answers: Vec<String>) -> Server {
        Server::knowing_itself(|_| answers)
    }

    /// The same, for answers that name the server.
    pub(super) fn knowing_itself(answers: impl FnOnce(&Url) -> Vec<String>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let (answers, seen) = (answers(&url), Arc::<Mutex<Vec<Seen>>>::default());
        let record = Arc::clone(&seen);
        if answers.is_empty() {
            // Closed before anybody can connect, not when a thread comes to it.
            return Server { url, seen };
        }
        std::thread::spawn(move || {
            for answer in answers {
                let Ok((mut stream, _)) = listener.accept() else { return };
                let request = request(&stream);
                record.lock().unwrap().push(request);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Server { url, seen }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(super) fn endpoints(&self) -> Endpoints {
        let join = |path| self.url.join(path).unwrap();
        Endpoints { server: self.url.clone(), api: join("api/v3"), graphql: join("api/graphql") }
    }

    /// A client with the canary as its token for everything here.
    pub(super) fn github(&self, clock: &Arc<FakeClock>) -> Github {
        self.github_with(clock, &format!("{}={CANARY}", self.url))
    }

    pub(super) fn github_with(&self, clock: &Arc<FakeClock>, repo_tokens: &str) -> Github {
        let given = Given { repo_tokens: Some(repo_tokens), ..Given::default() };
        let tokens = Tokens::new(given, &self.url, None, None).unwrap();
        Github::new(Arc::new(client(clock)), self.endpoints(), Arc::new(tokens))
    }
}

impl FakeClock {
    /// It shows the first second of 2027.
    pub(in crate::world) fn new() -> Arc<FakeClock> {
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(START);
        Arc::new(FakeClock(Mutex::new((start, Vec::new()))))
    }

    pub(in crate::world) fn slept(&self) -> Vec<Duration> {
        self.0.lock().unwrap().1.clone()
    }

    pub(in crate::world) fn pass(&self, time: Duration) {
        self.0.lock().unwrap().0 += time;
    }
}

/// The fake clock's first second.
pub(in crate::world) const START: u64 = 1_798_761_600;

impl Clock for FakeClock {
    fn now(&self) -> SystemTime {
        self.0.lock().unwrap().0
    }

    fn sleep(&self, time: Duration, why: &str) {
        assert!(!why.contains(CANARY));
        self.pass(time);
        self.0.lock().unwrap().1.push(time);
    }
}

pub(super) fn client(clock: &Arc<FakeClock>) -> Client {
    let http = Http::new(&[], Duration::from_secs(20)).unwrap();
    Client::new(http, clock.clone(), Patience::default())
}

pub(super) fn repo() -> Repo {
    Repo::new("contoso/gitops").unwrap()
}

/// A whole answer.
pub(super) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> String {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}")
}

/// An answer that breaks off.
pub(super) fn half(body: &str) -> String {
    let whole = answer(200, &[], body);
    whole[..whole.len() - body.len() / 2].to_owned()
}

fn request(stream: &TcpStream) -> Seen {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap() == 0 || line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let line = lines.first().map_or_else(String::new, |line| line.trim_end_matches(" HTTP/1.1").to_owned());
    let length =
        lines.iter().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let head = lines.get(1..).unwrap_or_default().join("\n");
    Seen { line, head, body: String::from_utf8(body).unwrap() }
}
