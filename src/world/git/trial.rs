//! Repositories to try things on, made with the `git` program.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use tempfile::TempDir;
use url::Url;

/// A repository with one commit on `main`.
pub(super) fn repository() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "-q", "-b", "main"]);
    std::fs::write(folder.path().join("README.md"), "hello\n").unwrap();
    git(folder.path(), &["add", "-A"]);
    git(folder.path(), &["commit", "-q", "-m", "first"]);
    folder
}

/// Runs `git` in `folder`, and gives what it prints.
pub(super) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = command(folder).args(arguments).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn command(folder: &Path) -> Command {
    let mut git = Command::new("git");
    git.current_dir(folder).env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    for (name, value) in [
        ("HOME", "/nonexistent"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_AUTHOR_NAME", "Someone"),
        ("GIT_AUTHOR_EMAIL", "someone@example.com"),
        ("GIT_COMMITTER_NAME", "Someone"),
        ("GIT_COMMITTER_EMAIL", "someone@example.com"),
        ("GIT_ALLOW_PROTOCOL", "file"),
    ] {
        git.env(name, value);
    }
    git
}

/// A request as a server sees it.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) line: String,
    pub(super) headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }
}

/// What a server answers of its own accord, by the number of the request; nothing where git is to answer.
type Script = dyn Fn(usize, &Seen) -> Option<Vec<u8>> + Send + Sync;

/// `git http-backend` behind a port of this machine, until the tests end.
pub(super) struct Server {
    port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub(super) fn start(
        root: &Path,
        script: impl Fn(usize, &Seen) -> Option<Vec<u8>> + Send + Sync + 'static,
    ) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (root, known, script) = (root.to_owned(), seen.clone(), Arc::new(script) as Arc<Script>);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (root, known, script) = (root.clone(), known.clone(), script.clone());
                thread::spawn(move || serve(stream.unwrap(), root, &known, &*script));
            }
        });
        Server { port, seen }
    }

    pub(super) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://127.0.0.1:{}/{path}", self.port)).unwrap()
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// An answer without content.
pub(super) fn answer(status: &str, headers: &str) -> Option<Vec<u8>> {
    Some(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n{headers}\r\n").into_bytes())
}

fn serve(stream: TcpStream, root: PathBuf, known: &Mutex<Vec<Seen>>, script: &Script) {
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    let mut line = || {
        let mut line = String::new();
        lines.read_line(&mut line).unwrap_or_default();
        line.trim_end().to_owned()
    };
    let mut seen = Seen { line: line(), ..Seen::default() };
    loop {
        let header = line();
        let Some((name, value)) = header.split_once(": ") else { break };
        seen.headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = seen.header("content-length").map_or(0, |length| length.parse().unwrap());
    seen.body.resize(length, 0);
    lines.read_exact(&mut seen.body).unwrap();
    let number = {
        let mut known = known.lock().unwrap();
        known.push(seen.clone());
        known.len() - 1
    };
    let answer = script(number, &seen).unwrap_or_else(|| backend(&root, &seen));
    let _ = { stream }.write_all(&answer);
}

fn backend(root: &Path, seen: &Seen) -> Vec<u8> {
    let mut line = seen.line.split(' ');
    let (method, target) = (line.next().unwrap(), line.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut child = command(root)
        .args(["-c", "safe.directory=*", "http-backend"])
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("REQUEST_METHOD", method)
        .env("CONTENT_TYPE", seen.header("content-type").unwrap_or_default())
        .env("CONTENT_LENGTH", seen.body.len().to_string())
        .env("GIT_PROTOCOL", seen.header("git-protocol").unwrap_or_default())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&seen.body).unwrap();
    let output = child.wait_with_output().unwrap().stdout;
    let text = String::from_utf8_lossy(&output);
    let status = text.strip_prefix("Status: ").and_then(|rest| rest.lines().next()).unwrap_or("200 OK");
    [format!("HTTP/1.1 {status}\r\nconnection: close\r\n").as_bytes(), &output].concat()
}
