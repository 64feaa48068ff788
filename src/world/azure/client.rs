//! One call: sent, repeated, and read. All of them only read, so that repeating does no harm.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use azure_core::http::headers::{CONTENT_TYPE, Headers};
use azure_core::http::policies::Policy;
use azure_core::http::policies::auth::BearerTokenAuthorizationPolicy;
use azure_core::http::{
    ClientOptions, Context, HttpClient, Method, Pipeline, PipelineSendOptions, RawResponse, Request,
    RetryOptions, Transport,
};
use backon::{BackoffBuilder, ExponentialBuilder};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use url::Url;

use super::credential::Identity;
use super::error::{Error, Kind};
use super::secrets::Secrets;
use crate::exit::Failure;
use crate::world::clock::Clock;

/// Time to wait between the requests for one call, in total: who asks will ask again.
pub(super) const WAITING: Duration = Duration::from_secs(60);

/// Most failures pass at once: the first pause is short, and each further one four times as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGER: f32 = 4.0;

/// Makes calls to Azure Resource Manager and what is behind it.
pub(super) struct Client {
    runtime: Runtime,
    pipeline: Pipeline,
    identity: Arc<Identity>,
    secrets: Arc<Secrets>,
    clock: Arc<dyn Clock>,
    /// After that nothing is asked or waited for
    pub(super) ends: Option<SystemTime>,
}

/// A call to be made.
pub(super) struct Call<'a> {
    /// As in "cannot …"
    pub(super) action: &'a str,
    pub(super) url: Url,
    /// What is posted, if it is
    pub(super) body: Option<Value>,
    pub(super) patience: Patience,
}

/// How long a call is tried.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Requests for it
    pub(super) tries: usize,
    /// How long one of them may take, with all that it takes to sign in
    pub(super) answer: Duration,
}

impl Patience {
    /// There is nothing to go on with before it is answered.
    pub(super) const USUAL: Patience = Patience { tries: 4, answer: Duration::from_secs(90) };

    /// There is something else to ask, and this may be asked again a little later.
    pub(super) const SHORT: Patience = Patience { tries: 2, answer: Duration::from_secs(10) };
}

/// A good answer.
pub(super) struct Reply<T> {
    pub(super) value: T,
    pub(super) headers: Headers,
}

impl Client {
    /// Nothing is asked yet.
    pub(super) fn new(
        transport: Arc<dyn HttpClient>,
        identity: Arc<Identity>,
        scope: &str,
        secrets: Arc<Secrets>,
        clock: Arc<dyn Clock>,
    ) -> Result<Client, Failure> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| {
            Failure::world(error, "check the limits that the machine sets for open files")
        })?;
        let policy: Arc<dyn Policy> =
            Arc::new(BearerTokenAuthorizationPolicy::new(identity.clone(), [scope]));
        let options = ClientOptions {
            transport: Some(Transport::new(transport)),
            retry: RetryOptions::none(),
            ..ClientOptions::default()
        };
        let version = Some(env!("CARGO_PKG_VERSION"));
        let pipeline = Pipeline::new(Some("kalypso"), version, options, Vec::new(), vec![policy], None);
        Ok(Client { runtime, pipeline, identity, secrets, clock, ends: None })
    }

    /// How it signs in.
    pub(super) fn way(&self) -> &'static str {
        self.identity.way()
    }

    /// Now.
    pub(super) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// The time that is left.
    pub(super) fn left(&self) -> Duration {
        let left = |ends: SystemTime| ends.duration_since(self.now()).unwrap_or_default();
        self.ends.map_or(Duration::MAX, left)
    }

    /// Waits until then.
    pub(super) fn wait_until(&self, time: SystemTime, why: &str) {
        if let Ok(pause) = time.duration_since(self.now()) {
            self.clock.sleep(pause, why);
        }
    }

    /// Makes a call, as often as it takes. An access token that is not taken is replaced once.
    pub(super) fn call<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<Reply<T>, Error> {
        let mut pauses = ExponentialBuilder::new()
            .with_min_delay(FIRST_PAUSE)
            .with_factor(LONGER)
            .with_jitter()
            .with_max_times(call.patience.tries.saturating_sub(1))
            .build();
        let (mut left, mut renewals) = (WAITING, 1);
        loop {
            if self.left().is_zero() {
                return Err(Error::new(call.action, Kind::NoTime, "there is no time left"));
            }
            let error = match self.attempt(call) {
                Ok(reply) => return Ok(reply),
                Err(error) => error.without(&self.secrets),
            };
            if *error.kind() == Kind::Unauthorized && renewals > 0 {
                renewals -= 1;
                self.identity.forget();
                continue;
            }
            let pause = pauses.next().filter(|_| error.may_pass());
            let pause = match (pause, error.kind()) {
                (Some(pause), Kind::RateLimited { until }) => {
                    Some(pause.max(until.duration_since(self.now()).unwrap_or_default()))
                }
                (pause, _) => pause,
            };
            let Some(pause) = pause.filter(|pause| *pause <= left.min(self.left())) else {
                return Err(error);
            };
            left -= pause;
            self.clock.sleep(pause, &error.what());
        }
    }

    fn attempt<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<Reply<T>, Error> {
        let response = self.send(call)?;
        if !response.status().is_success() {
            return Err(Error::refused(call.action, &response, self.now()));
        }
        // The parser's own words would repeat parts of the answer.
        let value = serde_json::from_slice(response.body()).map_err(|error| {
            let place = format!("at line {}, column {}", error.line(), error.column());
            Error::new(
                call.action,
                Kind::Unreadable,
                &format!("the answer is not what it should be, {place}"),
            )
        })?;
        Ok(Reply { value, headers: response.headers().clone() })
    }

    fn send(&self, call: &Call<'_>) -> Result<RawResponse, Error> {
        let mut request = match &call.body {
            None => Request::new(call.url.clone(), Method::Get),
            Some(body) => {
                let mut request = Request::new(call.url.clone(), Method::Post);
                request.insert_header(CONTENT_TYPE, "application/json");
                request.set_body(body.to_string());
                request
            }
        };
        let (context, options) =
            (Context::new(), PipelineSendOptions { skip_checks: true, ..Default::default() });
        let sent = self.runtime.block_on(async {
            let sending = self.pipeline.send(&context, &mut request, Some(options));
            timeout(call.patience.answer.min(self.left()), sending).await
        });
        let late = if self.left().is_zero() { Kind::NoTime } else { Kind::Network };
        let sent = sent.map_err(|_| Error::new(call.action, late, "no answer in time"))?;
        sent.map_err(|error| {
            let (way, claims) = (self.identity.way(), self.identity.claims());
            Error::unsent(call.action, way, &error, claims, self.now())
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("identity", &self.identity).finish_non_exhaustive()
    }
}
