//! How gix speaks HTTP: over our client, with our rules for credentials, redirects, time and size.

use std::any::Any;
use std::cell::RefCell;
use std::error::Error;
use std::io::{self, BufRead, BufReader, Cursor, Read, Write};
use std::rc::Rc;
use std::time::{Duration, Instant};

use ::url::Url;
use gix::bstr::ByteSlice;
use gix::error::message;
use gix::protocol::transport::client::blocking_io::http::{
    GetResponse, Http, PostBodyDataKind, PostResponse,
};
use reqwest::StatusCode;
use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};

use super::url::without_user;
use super::{Credentials, GitProblem, Limits, Login, Secret};

/// An answer that is not a pack, such as a list of branches, may have this many bytes.
const MAX_ANSWER_BYTES: u64 = 64 << 20;
/// A repository that was renamed may lead on this many times.
const MAX_REDIRECTS: usize = 5;

/// The way to one repository.
pub(super) struct Wire<'a> {
    client: &'a Client,
    credentials: Credentials<'a>,
    pack_bytes: u64,
    until: Instant,
    route: Rc<RefCell<Route>>,
}

/// Where the way leads now, and what went wrong on it.
pub(super) struct Route {
    url: Url,
    login: Login,
    trouble: Option<GitProblem>,
}

impl<'a> Wire<'a> {
    /// The way to `url`.
    pub(super) fn new(
        client: &'a Client,
        credentials: Credentials<'a>,
        limits: &Limits,
        url: &Url,
    ) -> (Wire<'a>, Rc<RefCell<Route>>) {
        let route = Route { url: url.clone(), login: Login::Anonymous, trouble: None };
        let route = Rc::new(RefCell::new(route));
        let until = Instant::now() + limits.whole;
        (Wire { client, credentials, pack_bytes: limits.pack_bytes, until, route: route.clone() }, route)
    }

    fn request(
        &self,
        method: reqwest::Method,
        url: Url,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<RequestBuilder, GitProblem> {
        let secret = (self.credentials)(&self.route.borrow().url).map_err(GitProblem::NoToken)?;
        let mut request = self.client.request(method, url);
        for header in headers {
            // Who we are is the client's to say, and it alone sends credentials.
            if let Some((name, value)) = header.as_ref().split_once(':')
                && !["user-agent", "authorization"].contains(&&*name.to_ascii_lowercase())
            {
                request = request.header(name, value.trim());
            }
        }
        self.route.borrow_mut().login = if secret.is_some() { Login::Token } else { Login::Anonymous };
        Ok(match secret {
            Some(Secret(token)) => request.basic_auth("x-access-token", Some(token)),
            None => request,
        })
    }

    /// Asks, and follows a repository that was renamed to its new place on the same host.
    fn follow(
        &self,
        tail: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>> + Clone,
    ) -> Result<Response, GitProblem> {
        for _ in 0..=MAX_REDIRECTS {
            let base = self.route.borrow().url.clone();
            let url = join(&base, tail)?;
            let request = self.request(reqwest::Method::GET, url.clone(), headers.clone())?;
            let response = request.send().map_err(|error| broken(&error))?;
            let Some(target) = redirect(&response) else {
                return checked(response, self.route.borrow().login);
            };
            let target = url.join(&target).map_err(|error| refused(format!("it leads nowhere ({error})")))?;
            let place = without_user(target.clone()).to_string();
            let is_same = target.origin() == base.origin();
            let Some(renamed) = place.strip_suffix(tail).filter(|_| is_same) else {
                return Err(refused(format!("it leads to {}, which is not followed", shown(&target))));
            };
            self.route.borrow_mut().url = Url::parse(renamed.trim_end_matches('/'))
                .map_err(|error| refused(format!("it leads nowhere ({error})")))?;
        }
        Err(refused("it leads from one place to the next".to_owned()))
    }

    fn keep(&self, problem: GitProblem) -> gix::Error {
        let text = format!("{problem:?}");
        self.route.borrow_mut().trouble.get_or_insert(problem);
        gix::Error::from_error(message!("{text}"))
    }
}

impl Route {
    /// What went wrong first, if anything did.
    pub(super) fn trouble(&mut self) -> Option<GitProblem> {
        self.trouble.take()
    }
}

impl Http for Wire<'_> {
    type Headers = Head;
    type ResponseBody = Body;
    type PostBody = Question;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix::Result<GetResponse<Head, Body>> {
        let tail = url.strip_prefix(base_url).unwrap_or(url).trim_start_matches('/');
        let headers: Vec<String> = headers.into_iter().map(|header| header.as_ref().to_owned()).collect();
        let response = self.follow(tail, &headers).map_err(|problem| self.keep(problem))?;
        let exchange = Rc::new(RefCell::new(Exchange::Answered(response, MAX_ANSWER_BYTES)));
        let (headers, body) = self.answer(exchange);
        Ok(GetResponse { headers, body })
    }

    fn post(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        _: PostBodyDataKind,
    ) -> gix::Result<PostResponse<Head, Body, Question>> {
        let tail = url.strip_prefix(base_url).unwrap_or(url).trim_start_matches('/');
        let base = self.route.borrow().url.clone();
        let request = join(&base, tail)
            .and_then(|url| self.request(reqwest::Method::POST, url, headers))
            .map_err(|problem| self.keep(problem))?;
        let exchange = Rc::new(RefCell::new(Exchange::Asking(request, Vec::new())));
        let (headers, body) = self.answer(exchange.clone());
        Ok(PostResponse { post_body: Question(exchange), headers, body })
    }

    fn configure(&mut self, _: &dyn Any) -> gix::Result {
        Ok(())
    }

    fn redirected_base_url(&self) -> Option<String> {
        Some(self.route.borrow().url.to_string())
    }
}

impl Wire<'_> {
    fn answer(&self, exchange: Rc<RefCell<Exchange>>) -> (Head, Body) {
        let route = self.route.clone();
        let pack_bytes = self.pack_bytes;
        let head = Head { exchange: exchange.clone(), route: route.clone(), pack_bytes, text: None };
        (head, Body { exchange, route, reader: None, left: 0, until: self.until })
    }
}

/// One question and its answer.
enum Exchange {
    Asking(RequestBuilder, Vec<u8>),
    /// And how many bytes the answer may have
    Answered(Response, u64),
    Over,
}

/// What is asked.
pub(super) struct Question(Rc<RefCell<Exchange>>);

impl Write for Question {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut *self.0.borrow_mut() {
            Exchange::Asking(_, body) => body.write(bytes),
            Exchange::Answered(..) | Exchange::Over => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The headers of an answer; reading them is what asks.
pub(super) struct Head {
    exchange: Rc<RefCell<Exchange>>,
    route: Rc<RefCell<Route>>,
    pack_bytes: u64,
    text: Option<Cursor<Vec<u8>>>,
}

impl Head {
    fn text(&mut self) -> io::Result<&mut Cursor<Vec<u8>>> {
        let text = match self.text.take() {
            Some(text) => text,
            None => {
                let (response, limit) = match self.exchange.replace(Exchange::Over) {
                    Exchange::Asking(request, body) => {
                        let is_list = body.find("command=ls-refs").is_some();
                        let limit = if is_list { MAX_ANSWER_BYTES } else { self.pack_bytes };
                        (self.ask(request, body)?, limit)
                    }
                    Exchange::Answered(response, limit) => (response, limit),
                    Exchange::Over => return Err(io::ErrorKind::BrokenPipe.into()),
                };
                // The kind of content is the only header that counts.
                let kind =
                    response.headers().get(CONTENT_TYPE).map(|kind| kind.as_bytes()).unwrap_or_default();
                let text = [b"content-type: ", kind, b"\n"].concat();
                self.exchange.replace(Exchange::Answered(response, limit));
                Cursor::new(text)
            }
        };
        Ok(self.text.insert(text))
    }

    fn ask(&self, request: RequestBuilder, body: Vec<u8>) -> io::Result<Response> {
        let login = self.route.borrow().login;
        let answered = request.body(body).send().map_err(|error| broken(&error)).and_then(|response| {
            match redirect(&response) {
                Some(_) => Err(refused("it moved in the middle of the conversation".to_owned())),
                None => checked(response, login),
            }
        });
        answered.map_err(|problem| keep(&self.route, problem))
    }
}

impl Read for Head {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.text()?.read(into)
    }
}

impl BufRead for Head {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.text()?.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        if let Some(text) = &mut self.text {
            text.consume(amount);
        }
    }
}

/// The content of an answer, as long as it keeps to time and size.
pub(super) struct Body {
    exchange: Rc<RefCell<Exchange>>,
    route: Rc<RefCell<Route>>,
    reader: Option<BufReader<Response>>,
    left: u64,
    until: Instant,
}

impl Read for Body {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Body {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.reader.is_none() {
            match self.exchange.replace(Exchange::Over) {
                Exchange::Answered(response, limit) => {
                    self.left = limit;
                    self.reader = Some(BufReader::with_capacity(64 << 10, response));
                }
                Exchange::Asking(..) | Exchange::Over => return Ok(&[]),
            }
        }
        let Some(reader) = &mut self.reader else { return Ok(&[]) };
        if self.left == 0 {
            return Err(keep(&self.route, GitProblem::TooLarge("it sends more than is read".to_owned())));
        }
        if Instant::now() > self.until {
            return Err(keep(&self.route, GitProblem::TooSlow));
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        match reader.fill_buf() {
            Ok(bytes) => Ok(&bytes[..bytes.len().min(most)]),
            Err(error) => {
                let why = format!("the answer broke off ({})", cause(&error));
                Err(keep(&self.route, GitProblem::Unreachable { why, wait: None }))
            }
        }
    }

    fn consume(&mut self, amount: usize) {
        self.left = self.left.saturating_sub(amount as u64);
        if let Some(reader) = &mut self.reader {
            reader.consume(amount);
        }
    }
}

fn keep(route: &RefCell<Route>, problem: GitProblem) -> io::Error {
    let error = io::Error::other(format!("{problem:?}"));
    route.borrow_mut().trouble.get_or_insert(problem);
    error
}

fn refused(why: String) -> GitProblem {
    GitProblem::Refused(why)
}

fn join(base: &Url, tail: &str) -> Result<Url, GitProblem> {
    Url::parse(&format!("{}/{tail}", base.as_str().trim_end_matches('/')))
        .map_err(|error| refused(format!("its URL is odd ({error})")))
}

fn redirect(response: &Response) -> Option<String> {
    let target = response.headers().get(LOCATION).filter(|_| response.status().is_redirection())?;
    Some(String::from_utf8_lossy(target.as_bytes()).into_owned())
}

/// What people see of a place that a server names: without anything that may be secret.
fn shown(target: &Url) -> String {
    target.host_str().unwrap_or(target.scheme()).to_owned()
}

fn checked(response: Response, login: Login) -> Result<Response, GitProblem> {
    match response.status() {
        StatusCode::OK => Ok(response),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::GONE => {
            Err(GitProblem::NoAccess(login))
        }
        status if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => {
            let wait = response.headers().get(RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.parse().ok());
            let wait = wait.map(Duration::from_secs);
            Err(GitProblem::Unreachable { why: format!("it answers {status}"), wait })
        }
        status => Err(GitProblem::Unusable(format!("it answers {status}"))),
    }
}

/// What broke a connection.
fn broken(error: &reqwest::Error) -> GitProblem {
    let why = if error.is_timeout() { "it does not answer in time".to_owned() } else { cause(error) };
    GitProblem::Unreachable { why, wait: None }
}

/// The innermost reason: those around it repeat the URL.
fn cause(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.last().map_or_else(String::new, ToString::to_string)
}
