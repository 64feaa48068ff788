//! The server: connections in, answers, lost answers and broken ones out.

use std::io::Write;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::{Result, anyhow};
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tempfile::{NamedTempFile, TempDir};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::azure::AzureState;
use crate::faults::{Event, Fault, Moment, Script, Work};
use crate::openapi::{Description, Exchange};
use crate::reply::{Content, Refusal, Reply, SANDBOX_FAILED};
use crate::rest::RestRequest;
use crate::smart_http::GitRequest;
use crate::state::GitHub;
use crate::tokens::Credential;
use crate::{azure, graphql, rest, smart_http};

/// What a request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The REST interface.
    Rest,
    /// The GraphQL interface.
    GraphQl,
    /// Git over HTTP.
    Git,
    /// Where the job of a workflow asks for an identity token.
    IdentityToken,
    /// Where an application signs in to Azure.
    Entra,
    /// Azure's resources, one by one.
    ResourceManager,
    /// Azure's resources, all together.
    ResourceGraph,
}

impl Kind {
    /// Whether it came to the address of Azure.
    pub(crate) fn is_azure(self) -> bool {
        match self {
            Kind::Rest | Kind::GraphQl | Kind::Git => false,
            Kind::IdentityToken | Kind::Entra | Kind::ResourceManager | Kind::ResourceGraph => true,
        }
    }
}

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Request {
    /// How many came before it.
    pub index: usize,
    /// What it was for.
    pub kind: Kind,
    /// Its method.
    pub method: String,
    /// Its path as it was sent, without the query.
    pub path: String,
    /// Its query as it was sent.
    pub query: String,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The token that it was sent with, as bearer or as password.
    pub token: Option<String>,
    /// The host that it was sent to, as the client names it.
    pub host: String,
    /// Its body.
    pub body: Vec<u8>,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
}

impl Request {
    /// Whether it changes something, or would.
    pub fn is_write(&self) -> bool {
        match self.kind {
            Kind::Rest => self.method != "GET" && !self.path.ends_with("/access_tokens"),
            Kind::GraphQl => graphql::is_mutation(&self.body),
            Kind::Git => self.method == "POST" && smart_http::is_push(&self.path, &self.query),
            Kind::IdentityToken | Kind::Entra | Kind::ResourceManager | Kind::ResourceGraph => false,
        }
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What all connections share.
pub(crate) struct Shared {
    state: Mutex<State>,
}

/// The world, what was asked of it, and what is still to happen.
pub(crate) struct State {
    pub(crate) github: GitHub,
    pub(crate) azure: AzureState,
    pub(crate) script: Script,
    pub(crate) requests: Vec<Request>,
    pub(crate) violations: Vec<String>,
}

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A server that listens until it is dropped.
pub(crate) struct Server {
    pub(crate) shared: Arc<Shared>,
    /// What a client of Azure must trust.
    pub(crate) ca_file: NamedTempFile,
    accepting: [JoinHandle<()>; 2],
    /// Here, not with what is shared: a connection that still ends would keep it past the end of the process.
    _folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.iter().for_each(JoinHandle::abort);
    }
}

/// One for every server of the process: a test suite starts thousands.
static RUNTIME: LazyLock<std::io::Result<Runtime>> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("sandbox").enable_all().build()
});

/// The runtime that everything asynchronous here runs in.
pub(crate) fn runtime() -> Result<&'static Runtime> {
    RUNTIME.as_ref().map_err(|error| anyhow!("cannot start threads for the sandbox: {error}"))
}

impl Server {
    /// Listens on the loopback address, on this port or, for 0, on one that is free, and for Azure on another.
    pub(crate) fn start(port: u16) -> Result<Server> {
        let (github, azure) = (listen(port)?, listen(0)?);
        let folder = tempfile::Builder::new().prefix("sandbox").tempdir()?;
        let tls = azure::tls()?;
        let mut ca_file = tempfile::Builder::new().prefix("sandbox").suffix(".pem").tempfile()?;
        ca_file.write_all(tls.ca_pem.as_bytes())?;
        let state = State {
            github: GitHub::new(format!("http://{}", github.local_addr()?), folder.path().to_owned()),
            azure: AzureState::new(format!("https://{}", azure.local_addr()?)),
            script: Script::default(),
            requests: Vec::new(),
            violations: Vec::new(),
        };
        let shared = Arc::new(Shared { state: Mutex::new(state) });
        let runtime = runtime()?;
        let _entered = runtime.enter();
        let (github, azure) = (TcpListener::from_std(github)?, TcpListener::from_std(azure)?);
        let accepting = [
            runtime.spawn(accept(github, Door::GitHub, shared.clone())),
            runtime.spawn(accept(azure, Door::Azure(&tls.acceptor), shared.clone())),
        ];
        Ok(Server { shared, ca_file, accepting, _folder: folder })
    }
}

fn listen(port: u16) -> Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port)))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Where connections come in.
#[derive(Clone, Copy)]
enum Door {
    GitHub,
    Azure(&'static TlsAcceptor),
}

/// Takes connections; they end with it.
async fn accept(listener: TcpListener, door: Door, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(welcome(stream, door, shared.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn welcome(stream: TcpStream, door: Door, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    match door {
        Door::GitHub => serve(stream, kind_of, shared).await,
        Door::Azure(acceptor) => {
            // Whoever does not trust the certificate goes away again.
            if let Ok(stream) = acceptor.accept(stream).await {
                serve(stream, azure::kind_of, shared).await;
            }
        }
    }
}

/// What a request to GitHub is for.
fn kind_of(path: &str) -> Kind {
    match () {
        () if path.starts_with("/api/v3/") => Kind::Rest,
        () if path == "/api/graphql" => Kind::GraphQl,
        () => Kind::Git,
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, kind_of: fn(&str) -> Kind, shared: Arc<Shared>) {
    let service = service_fn(|request| {
        let shared = shared.clone();
        async move {
            let request = read(request, kind_of).await.map_err(|_| Hangup)?;
            let ending = tokio::task::spawn_blocking(move || shared.answer(request)).await;
            match ending {
                Ok(Ending::Reply(reply)) => respond(reply, Cut::Never),
                Ok(Ending::Half(reply)) => respond(reply, Cut::Middle),
                Ok(Ending::Hangup) | Err(_) => Err(Hangup),
                Ok(Ending::Stall(time)) => {
                    tokio::time::sleep(time).await;
                    Err(Hangup)
                }
            }
        }
    });
    // A connection that ends badly is one that was meant to, or the client's own doing.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// Ends a connection without another word.
#[derive(Debug)]
struct Hangup;

impl std::fmt::Display for Hangup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the sandbox hangs up")
    }
}

impl std::error::Error for Hangup {}

/// How a request ends.
enum Ending {
    Reply(Reply),
    /// With half of the answer.
    Half(Reply),
    Hangup,
    /// With nothing, after a while.
    Stall(Duration),
}

async fn read(request: hyper::Request<Incoming>, kind_of: fn(&str) -> Kind) -> Result<Request> {
    let (head, body) = request.into_parts();
    let headers: Vec<(String, String)> = head
        .headers
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    let path = head.uri.path().to_owned();
    let mut request = Request {
        index: 0,
        kind: kind_of(&path),
        method: head.method.as_str().to_owned(),
        path,
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers,
        token: None,
        host: String::new(),
        body: body.collect().await?.to_bytes().to_vec(),
        status: None,
    };
    request.host = request.header("host").unwrap_or_default().to_owned();
    request.token = Credential::read(request.header("authorization")).token().map(str::to_owned);
    Ok(request)
}

impl Shared {
    fn answer(&self, mut request: Request) -> Ending {
        let mut state = self.lock();
        request.index = state.requests.len();
        let writes = || state.requests.iter().filter(|request| request.is_write()).count();
        let write = request.is_write().then(writes);
        state.requests.push(request.clone());
        let Request { index, ref method, ref path, .. } = request;
        let events = state.script.take(&Moment { index, write, method, path });
        drop(state);
        let mut fault = None;
        for event in events {
            match event {
                Event::Fault(next) => fault = Some(next),
                // Without the lock: whoever acts here acts on this sandbox.
                Event::Hook(hook) => {
                    if let Err(error) = hook() {
                        self.lock()
                            .violations
                            .push(format!("{SANDBOX_FAILED} before request {index}: {error:#}"));
                    }
                }
            }
        }
        let ending = match fault {
            None => Ending::Reply(self.work(&request)),
            Some(Fault::HalfBody) => Ending::Half(self.work(&request)),
            Some(Fault::Refuse) => Ending::Hangup,
            Some(Fault::Stall(time)) => Ending::Stall(time),
            Some(Fault::LoseReply) => {
                self.work(&request);
                Ending::Hangup
            }
            Some(Fault::Answer { status, headers, body, work }) => {
                if work == Work::Done {
                    self.work(&request);
                }
                Ending::Reply(Reply { status, headers, content: Content::Bytes(body.into_bytes()) })
            }
        };
        match ending {
            Ending::Reply(reply) => {
                if let Some(request) = self.lock().requests.get_mut(index) {
                    request.status = Some(reply.status);
                }
                let header = if request.kind.is_azure() { "x-ms-request-id" } else { "x-github-request-id" };
                Ending::Reply(reply.with(header, format!("5AD0:{index:06X}")))
            }
            other => other,
        }
    }

    /// Does what a request asks for.
    fn work(&self, request: &Request) -> Reply {
        let credential = Credential::read(request.header("authorization"));
        let mut state = self.lock();
        let State { github, azure, .. } = &mut *state;
        azure.observe(github);
        let misplaced = azure::misplaced(azure, github, request).map(str::to_owned);
        let (reply, noted) = match request.kind {
            Kind::Rest => rest_reply(github, request, &credential),
            Kind::GraphQl => graphql::answer(github, &credential, &request.body),
            Kind::Git => {
                let admitted = smart_http::admit(
                    github,
                    &GitRequest {
                        method: &request.method,
                        path: &request.path,
                        query: &request.query,
                        credential: &credential,
                        header: &|name| request.header(name),
                        body: &request.body,
                    },
                );
                // Clients fetch from many repositories at once.
                drop(state);
                let reply = match admitted {
                    Ok(backend) => smart_http::answer(backend, &request.body)
                        .unwrap_or_else(|error| Refusal::from(error).into()),
                    Err(reply) => reply,
                };
                state = self.lock();
                (reply, Vec::new())
            }
            Kind::IdentityToken | Kind::Entra | Kind::ResourceManager | Kind::ResourceGraph => {
                azure::answer(azure, github, request)
            }
        };
        let failed = reply.json_body().and_then(|body| body["message"].as_str());
        let failed = failed.filter(|message| message.starts_with(SANDBOX_FAILED)).map(str::to_owned);
        for violation in noted.into_iter().chain(failed).chain(misplaced) {
            state.violations.push(format!("{} {}: {violation}", request.method, request.path));
        }
        reply
    }
}

/// Answers a REST request, and says what about it, or about the answer, GitHub would not know.
fn rest_reply(github: &mut GitHub, request: &Request, credential: &Credential) -> (Reply, Vec<String>) {
    let path = request.path.strip_prefix("/api/v3").unwrap_or(&request.path);
    if request.header("user-agent").is_none() {
        let refusal =
            Refusal::new(403, "Request forbidden by administrative rules. Please send a User-Agent header");
        return (refusal.into(), vec!["no User-Agent header".to_owned()]);
    }
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(request.query.as_bytes()).into_owned().collect();
    let method = &request.method;
    let reply =
        rest::answer(github, &RestRequest { method, path, query: &query, credential, body: &request.body });
    if !rest::is_known(method, path) {
        return (reply, vec!["the sandbox has no such route".to_owned()]);
    }
    let mut violations = Vec::new();
    if request.header("x-github-api-version").is_none() {
        violations.push("no X-GitHub-Api-Version header".to_owned());
    }
    if reply.header("location").is_none() {
        let sent: Option<Value> = serde_json::from_slice(&request.body).ok();
        let exchange = Exchange {
            method,
            path,
            query: &query,
            request_body: sent.as_ref(),
            status: reply.status,
            response_body: reply.json_body(),
        };
        violations.extend(Description::load().check(&exchange));
    }
    (reply, violations)
}

fn respond(reply: Reply, cut: Cut) -> Result<hyper::Response<Sent>, Hangup> {
    let Reply { status, headers, content } = reply;
    let mut response = hyper::Response::builder().status(status);
    for (name, value) in &headers {
        response = response.header(name, value);
    }
    let bytes = match content {
        Content::Nothing => Vec::new(),
        Content::Bytes(bytes) => bytes,
        Content::Json(body) => {
            response = response.header("content-type", "application/json; charset=utf-8");
            body.to_string().into_bytes()
        }
    };
    response.body(Sent::new(bytes, cut)).map_err(|_| Hangup)
}

/// Where the body of an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// Where it should.
    Never,
    /// In the middle.
    Middle,
}

/// The body of an answer.
struct Sent {
    /// How long it is said to be.
    length: u64,
    rest: Option<Bytes>,
    then: Then,
}

/// What follows what is left to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    End,
    /// A pause, in which what there is gets sent, then an error.
    Flush,
    Error,
}

impl Sent {
    fn new(bytes: Vec<u8>, cut: Cut) -> Sent {
        let length = bytes.len() as u64;
        let bytes = Bytes::from(bytes);
        match cut {
            Cut::Never => {
                Sent { length, rest: Some(bytes).filter(|bytes| !bytes.is_empty()), then: Then::End }
            }
            Cut::Middle => Sent { length, rest: Some(bytes.slice(..bytes.len() / 2)), then: Then::Flush },
        }
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = Hangup;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Hangup>>> {
        if let Some(rest) = self.rest.take() {
            return Poll::Ready(Some(Ok(Frame::data(rest))));
        }
        match self.then {
            Then::End => Poll::Ready(None),
            Then::Error => Poll::Ready(Some(Err(Hangup))),
            Then::Flush => {
                self.then = Then::Error;
                context.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_none() && self.then == Then::End
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}
