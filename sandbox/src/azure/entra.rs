//! Who is who: Entra, and the identity tokens that GitHub gives to the jobs of workflows.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, anyhow};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey};
use serde_json::{Value, json};

use super::state::{AzureState, Cloud, uuid_of};
use crate::app_key;
use crate::reply::Reply;
use crate::server::Request;
use crate::state::GitHub;

/// Who issues the identity tokens of jobs.
pub const ISSUER: &str = "https://token.actions.githubusercontent.com";

/// How long an identity token is good for.
const ASSERTION_LIFETIME: SignedDuration = SignedDuration::from_mins(5);

/// How long an access token is good for.
const TOKEN_LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// What a client assertion must say that it is.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// An application of Entra: what it signs in with, and what it sees.
#[derive(Clone, Debug, Default)]
pub(crate) struct Application {
    /// Its client secrets, and when they end.
    pub(super) secrets: BTreeMap<String, Option<Timestamp>>,
    pub(super) federations: Vec<Federation>,
    /// The subscriptions that it sees; none: all.
    pub(super) subscriptions: Option<BTreeSet<String>>,
    /// Types of resources that it may not read, in lower case.
    pub(super) hidden: BTreeSet<String>,
}

/// Whose identity tokens sign an application in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Federation {
    /// Who issues them.
    pub issuer: String,
    /// Whom they are about.
    pub subject: String,
    /// Whom they are for.
    pub audience: String,
}

/// An access token.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(super) application: String,
    pub(super) expires: Timestamp,
}

/// The job of a workflow that asks for identity tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    repository: String,
    branch: String,
    environment: Option<String>,
    subject: Subject,
}

/// How the subject of an identity token names its repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// By name: `repo:OWNER/REPO:…`.
    Names,
    /// By name and number, as for repositories that are new: `repo:OWNER@ID/REPO@ID:…`.
    Ids,
}

impl Job {
    /// A job that runs for a branch of a repository, `owner/name`.
    pub fn new(repository: &str, branch: &str) -> Job {
        Job {
            repository: repository.to_owned(),
            branch: branch.to_owned(),
            environment: None,
            subject: Subject::Names,
        }
    }

    /// In an environment of the repository.
    pub fn in_environment(mut self, environment: &str) -> Job {
        self.environment = Some(environment.to_owned());
        self
    }

    /// With another form of its subject.
    pub fn with_subject(mut self, subject: Subject) -> Job {
        self.subject = subject;
        self
    }

    /// Whom its identity tokens are about.
    pub(super) fn subject(&self, github: &GitHub) -> String {
        let Job { repository, branch, environment, subject } = self;
        let repository = match (subject, repository.split_once('/')) {
            (Subject::Ids, Some((owner, name))) => {
                let id = github.repositories.get(&repository.to_lowercase()).map_or(0, |repo| repo.id);
                format!("{owner}@{}/{name}@{id}", owner_id(owner))
            }
            _ => repository.clone(),
        };
        match environment {
            Some(environment) => format!("repo:{repository}:environment:{environment}"),
            None => format!("repo:{repository}:ref:refs/heads/{branch}"),
        }
    }
}

/// Answers a job that asks for an identity token.
pub(super) fn identity_token(
    azure: &AzureState,
    github: &GitHub,
    request: &Request,
) -> Result<(Reply, Vec<String>)> {
    let Some(job) = azure.job.as_ref().filter(|_| request.token.as_deref() == Some(super::REQUEST_TOKEN))
    else {
        return Ok((refusal(401, json!({ "message": "Bad credentials" })), Vec::new()));
    };
    let owner = job.repository.split('/').next().unwrap_or_default();
    let audience = super::parameter(request, "audience").unwrap_or(format!("https://github.com/{owner}"));
    let now = github.now();
    let claims = json!({
        "jti": uuid_of(&format!("{} {}", request.index, now)),
        "sub": job.subject(github),
        "aud": audience,
        "iss": ISSUER,
        "repository": job.repository,
        "repository_owner": owner,
        "repository_owner_id": owner_id(owner).to_string(),
        "ref": format!("refs/heads/{}", job.branch),
        "ref_type": "branch",
        "environment": job.environment,
        "runner_environment": "github-hosted",
        "nbf": now.as_second() - 5,
        "iat": now.as_second(),
        "exp": (now + ASSERTION_LIFETIME).as_second(),
    });
    Ok((Reply::ok(json!({ "count": claims.to_string().len(), "value": signed(&claims)? })), Vec::new()))
}

/// Answers an application that signs in.
pub(super) fn token(azure: &mut AzureState, tenant: &str, request: &Request, now: Timestamp) -> Reply {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(&request.body).into_owned().collect();
    match admit(azure, tenant, &form, now) {
        Err(denied) => denied.reply(&azure.url, now),
        Ok(application) => {
            azure.minted += 1;
            let token = format!("eyJ0eXAiOiJKV1QifQ.{}.{}", uuid_of(&application), azure.minted);
            azure.tokens.insert(token.clone(), Token { application, expires: now + TOKEN_LIFETIME });
            let seconds = TOKEN_LIFETIME.as_secs() - 1;
            Reply::ok(json!({
                "token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token,
            }))
        }
    }
}

/// What an application says that signs in, but for what it signs in with.
pub(crate) fn sign_in_without_credentials(body: &[u8]) -> String {
    let fields = url::form_urlencoded::parse(body);
    let others = fields.filter(|(name, _)| !matches!(name.as_ref(), "client_secret" | "client_assertion"));
    others.map(|(name, value)| format!("{name}={value}\n")).collect()
}

/// Why an application may not sign in.
struct Denied {
    status: u16,
    error: &'static str,
    code: u32,
    message: String,
}

impl Denied {
    fn new(status: u16, error: &'static str, code: u32, message: impl Into<String>) -> Denied {
        Denied { status, error, code, message: message.into() }
    }

    /// As Entra says it.
    fn reply(self, url: &str, now: Timestamp) -> Reply {
        let Denied { status, error, code, message } = self;
        let (trace, correlation) = (uuid_of(&format!("trace {now}")), uuid_of(&format!("correlation {now}")));
        let timestamp = now.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let description = format!(
            "AADSTS{code}: {message} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}"
        );
        refusal(
            status,
            json!({
                "error": error,
                "error_description": description,
                "error_codes": [code],
                "timestamp": timestamp,
                "trace_id": trace,
                "correlation_id": correlation,
                "error_uri": format!("{url}/error?code={code}"),
            }),
        )
    }
}

/// The client id of the application that signs in.
fn admit(
    azure: &AzureState,
    tenant: &str,
    form: &BTreeMap<String, String>,
    now: Timestamp,
) -> Result<String, Denied> {
    let invalid_request = |code, message: String| Denied::new(400, "invalid_request", code, message);
    let field = |name: &str| {
        form.get(name).map(String::as_str).ok_or_else(|| {
            invalid_request(
                900_144,
                format!("The request body must contain the following parameter: '{name}'."),
            )
        })
    };
    if !azure.tenants.contains(&tenant.to_lowercase()) {
        return Err(invalid_request(
            90_002,
            format!(
                "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing \
                 into the correct cloud. Check with your subscription administrator, this may happen if there \
                 are no active subscriptions for the tenant."
            ),
        ));
    }
    if field("grant_type")? != "client_credentials" {
        return Err(Denied::new(
            400,
            "unsupported_grant_type",
            70_003,
            "The app requested an unsupported grant type.",
        ));
    }
    let client = field("client_id")?;
    let Some(application) = azure.applications.get(&client.to_lowercase()) else {
        return Err(Denied::new(
            400,
            "unauthorized_client",
            700_016,
            format!(
                "Application with identifier '{client}' was not found in the directory '{tenant}'. This can \
                 happen if the application has not been installed by the administrator of the tenant or \
                 consented to by any user in the tenant. You may have sent your authentication request to the \
                 wrong tenant."
            ),
        ));
    };
    let scope = field("scope")?;
    let resource = scope.strip_suffix("/.default").map(|resource| resource.trim_end_matches('/'));
    if resource != Some(azure.cloud.management()) && resource != Some(azure.url.as_str()) {
        return Err(Denied::new(
            400,
            "invalid_scope",
            1_002_012,
            format!(
                "The provided value for scope {scope} is not valid. Client credential flows must have a scope \
                 value with /.default suffixed to the resource identifier (application ID URI)."
            ),
        ));
    }
    match form.get("client_assertion") {
        Some(assertion) if field("client_assertion_type")? == ASSERTION_TYPE => {
            federated(application, client, assertion, now)?;
        }
        Some(_) => {
            return Err(Denied::new(401, "invalid_client", 50_027, "JWT token is invalid or malformed."));
        }
        None => secret(application, client, form.get("client_secret"), now)?,
    }
    Ok(client.to_lowercase())
}

fn secret(
    application: &Application,
    client: &str,
    secret: Option<&String>,
    now: Timestamp,
) -> Result<(), Denied> {
    let denied = |code, message| Err(Denied::new(401, "invalid_client", code, message));
    let Some(secret) = secret else {
        return denied(
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
                .to_owned(),
        );
    };
    match application.secrets.get(secret) {
        None => denied(
            7_000_215,
            format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client \
                 secret value, not the client secret ID, for a secret added to app '{client}'."
            ),
        ),
        Some(Some(ends)) if *ends <= now => denied(
            7_000_222,
            format!(
                "The provided client secret keys for app '{client}' are expired. Visit the Azure portal to \
                 create new keys for your app, or consider using certificate credentials for added security."
            ),
        ),
        Some(_) => Ok(()),
    }
}

fn federated(application: &Application, client: &str, assertion: &str, now: Timestamp) -> Result<(), Denied> {
    let denied = |code, message| Err(Denied::new(401, "invalid_client", code, message));
    let Some(claims) = claims_of(assertion) else {
        return denied(50_027, "JWT token is invalid or malformed.".to_owned());
    };
    let claim = |name: &str| claims[name].as_str().unwrap_or_default();
    let (issuer, subject, audience) = (claim("iss"), claim("sub"), claim("aud"));
    let (from, to) = (claims["nbf"].as_i64().unwrap_or(i64::MAX), claims["exp"].as_i64().unwrap_or(0));
    if now.as_second() < from || now.as_second() >= to {
        let time = |seconds| Timestamp::from_second(seconds).map_or(String::new(), |time| time.to_string());
        return denied(
            700_024,
            format!(
                "Client assertion is not within its valid time range. Current time: {now}, assertion valid from \
                 {}, expiry time of assertion {}.",
                time(from),
                time(to)
            ),
        );
    }
    let known = &application.federations;
    let check = "Check your federated identity credential Subject, Audience and Issuer against the presented \
                 assertion.";
    match () {
        () if known.is_empty() => {
            denied(70_025, format!("The client '{client}' has no configured federated identity credentials."))
        }
        () if known.iter().all(|one| one.issuer != issuer) => denied(
            700_211,
            format!(
                "No matching federated identity record found for presented assertion issuer '{issuer}'. {check}"
            ),
        ),
        () if known.iter().all(|one| one.issuer != issuer || one.subject != subject) => denied(
            700_213,
            format!(
                "No matching federated identity record found for presented assertion subject '{subject}'. {check}"
            ),
        ),
        () if !known.contains(&Federation {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            audience: audience.to_owned(),
        }) =>
        {
            denied(
                700_212,
                format!(
                    "No matching federated identity record found for presented assertion audience '{audience}'. \
                     {check}"
                ),
            )
        }
        () => Ok(()),
    }
}

/// A JSON web token with these claims.
fn signed(claims: &Value) -> Result<String> {
    let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let text =
        format!("{}.{}", encode(&json!({ "alg": "RS256", "typ": "JWT", "kid": "sandbox" })), encode(claims));
    let body: String = app_key::PRIVATE_KEY.lines().filter(|line| !line.starts_with("-----")).collect();
    let key = KeyPair::from_der(&BASE64_STANDARD.decode(body)?).map_err(|error| anyhow!("{error}"))?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
        .ok()
        .context("cannot sign an identity token")?;
    Ok(format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
}

/// What a JSON web token says, if it is signed as it must be.
fn claims_of(token: &str) -> Option<Value> {
    let (text, signature) = token.rsplit_once('.')?;
    let (_, claims) = text.split_once('.')?;
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, app_key::public_key().ok()?)
        .verify(text.as_bytes(), &BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?)
        .ok()?;
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

impl Federation {
    /// The jobs of GitHub's workflows whose subject is this one, for a cloud.
    pub fn github(subject: &str, cloud: Cloud) -> Federation {
        Federation {
            issuer: ISSUER.to_owned(),
            subject: subject.to_owned(),
            audience: cloud.exchange_audience().to_owned(),
        }
    }
}

/// The number of a repository's owner.
fn owner_id(owner: &str) -> u32 {
    u32::from_str_radix(&uuid_of(&owner.to_lowercase())[..8], 16).unwrap_or_default()
}

fn refusal(status: u16, body: Value) -> Reply {
    Reply { status, headers: Vec::new(), content: crate::reply::Content::Json(body) }
}
