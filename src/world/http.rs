//! The one HTTP and TLS stack: whose certificates are trusted, how long a request may take, which proxy it takes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::blocking::{Client, RequestBuilder};
use reqwest::redirect::Policy;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use url::{Host, Url};

use crate::exit::Failure;

/// How long a request may take, from the first byte sent to the last one received.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// How long it may take to be connected.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an async connection is kept for the next request.
const IDLE: Duration = Duration::from_secs(10);

const USER_AGENT: &str = concat!("kalypso/", env!("CARGO_PKG_VERSION"));

/// Makes requests. Redirects are not followed here: only the caller knows where its token may go.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    tls: ClientConfig,
    timeout: Duration,
    proxied: Client,
    direct: Client,
}

/// The same for what is async.
#[derive(Clone, Debug)]
pub(crate) struct AsyncHttp {
    proxied: reqwest::Client,
    direct: reqwest::Client,
}

impl Http {
    /// Trusts Mozilla's roots and those of the PEM files `extra_roots`; proxies are those of the environment.
    pub(crate) fn new(extra_roots: &[PathBuf], timeout: Duration) -> Result<Http, Failure> {
        let tls = tls(roots(extra_roots)?)?;
        let builder = || {
            Client::builder()
                .user_agent(USER_AGENT)
                .connect_timeout(CONNECT_TIMEOUT)
                .timeout(timeout)
                .redirect(Policy::none())
                .tls_backend_preconfigured(tls.clone())
        };
        let (proxied, direct) = (built(builder().build())?, built(builder().no_proxy().build())?);
        Ok(Http { tls, timeout, proxied, direct })
    }

    /// How TLS is spoken, for others that make requests.
    pub(crate) fn tls(&self) -> ClientConfig {
        self.tls.clone()
    }

    /// A request to be filled and sent.
    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let client = if is_near(&url) { &self.direct } else { &self.proxied };
        client.request(method, url)
    }

    /// The same for what is async.
    pub(crate) fn for_async(&self) -> Result<AsyncHttp, Failure> {
        let builder = || {
            reqwest::Client::builder()
                .user_agent(USER_AGENT)
                .connect_timeout(CONNECT_TIMEOUT)
                .timeout(self.timeout)
                // Between two calls nobody notices that a connection was closed.
                .pool_idle_timeout(IDLE)
                .redirect(Policy::none())
                .tls_backend_preconfigured(self.tls.clone())
        };
        let (proxied, direct) = (built(builder().build())?, built(builder().no_proxy().build())?);
        Ok(AsyncHttp { proxied, direct })
    }
}

impl AsyncHttp {
    /// A request to be filled and sent.
    pub(crate) fn request(&self, method: Method, url: Url) -> reqwest::RequestBuilder {
        let client = if is_near(&url) { &self.direct } else { &self.proxied };
        client.request(method, url)
    }
}

/// Whether no proxy leads there: a proxy's loopback is not ours, nor are the addresses of its own link.
fn is_near(url: &Url) -> bool {
    is_loopback(url) || matches!(url.host(), Some(Host::Ipv4(address)) if address.is_link_local())
}

/// Whether a URL leads to this machine, so that what is sent there crosses no network.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn roots(files: &[PathBuf]) -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for file in files {
        let certificates = certificates(file).map_err(|reason| {
            let text = format!("cannot use the certificates of {}: {reason}", file.display());
            Failure::world(
                anyhow::anyhow!(text),
                "`ca-bundle` and SSL_CERT_FILE name files with certificates in PEM form",
            )
        })?;
        // A system's bundle may hold some that are too old to be read: they are not needed.
        roots.add_parsable_certificates(certificates);
    }
    Ok(roots)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let text = std::fs::read(file).map_err(|error| error.to_string())?;
    let found: Vec<_> =
        CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    if found.is_empty() { Err("there is none in it".to_owned()) } else { Ok(found) }
}

fn tls(roots: RootCertStore) -> Result<ClientConfig, Failure> {
    let mut tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::world(error, "this is a fault of the program: please report it"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

fn built<T>(client: reqwest::Result<T>) -> Result<T, Failure> {
    client.map_err(|error| Failure::world(error, "check the proxies in HTTPS_PROXY and HTTP_PROXY"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback() {
        for (url, want) in [
            ("http://localhost:8080/x", true),
            ("http://127.0.0.1/", true),
            ("http://127.8.9.1/", true),
            ("http://[::1]:1/", true),
            ("http://localhost.evil.com/", false),
            ("http://127.0.0.1.evil.com/", false),
            ("http://10.0.0.1/", false),
            ("http://0.0.0.0/", false),
            ("https://github.com/", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), want, "{url}");
        }
    }

    #[test]
    fn roots_that_cannot_be_used_are_said() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("roots.pem");
        let broken = "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n";
        for (content, want) in [
            (None, "No such file"),
            (Some("no certificate"), "there is none in it"),
            (Some(broken), "cannot use the certificates of"),
        ] {
            if let Some(content) = content {
                std::fs::write(&file, content).unwrap();
            }
            let failure = Http::new(std::slice::from_ref(&file), TIMEOUT).unwrap_err();
            assert!(failure.reason().contains(want), "{}", failure.reason());
        }
    }
}
