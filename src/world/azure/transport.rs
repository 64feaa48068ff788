//! The one HTTP stack, as the Azure libraries want it.

use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Request};
use reqwest::Method;

use crate::world::http::AsyncHttp;
use crate::world::said::root;

/// An answer may have so many bytes.
const MAX_ANSWER: usize = 64 << 20;

/// Sends requests over our connections, with our roots and proxies. Redirects are not followed.
#[derive(Debug)]
pub(super) struct Connections(pub(super) AsyncHttp);

#[async_trait]
impl HttpClient for Connections {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let url = request.url();
        let broken = |error: reqwest::Error| {
            let host = url.host_str().unwrap_or("the server");
            let (kind, said) = match () {
                () if error.is_connect() => (ErrorKind::Connection, format!("{host} cannot be reached")),
                () if error.is_timeout() => (ErrorKind::Io, format!("no answer from {host} in time")),
                () => (ErrorKind::Io, format!("the connection to {host} broke")),
            };
            azure_core::Error::with_message(kind, format!("{said}: {}", root(&error)))
        };
        let method = Method::from_bytes(request.method().as_str().as_bytes())
            .map_err(|error| azure_core::Error::new(ErrorKind::Other, error))?;
        let mut outgoing = self.0.request(method, url.clone());
        for (name, value) in request.headers().iter() {
            outgoing = outgoing.header(name.as_str(), value.as_str());
        }
        let Body::Bytes(body) = request.body() else {
            return Err(azure_core::Error::with_message(ErrorKind::Other, "a stream cannot be sent"));
        };
        let mut response = outgoing.body(body.clone()).send().await.map_err(broken)?;
        let mut received = Vec::new();
        while let Some(part) = response.chunk().await.map_err(broken)? {
            received.extend_from_slice(&part);
            if received.len() > MAX_ANSWER {
                return Err(azure_core::Error::with_message(
                    ErrorKind::DataConversion,
                    "the answer is too long",
                ));
            }
        }
        Ok(AsyncRawResponse::from_bytes(response.status().as_u16().into(), headers(&response), received))
    }
}

/// Those that are text; others mean nothing to us.
fn headers(response: &reqwest::Response) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in response.headers() {
        if let Ok(value) = value.to_str() {
            headers.insert(HeaderName::from(name.as_str().to_owned()), HeaderValue::from(value.to_owned()));
        }
    }
    headers
}
