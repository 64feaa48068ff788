//! A client that says what it gets.

use kalypso_sandbox::azure::{Azure, Configuration, Job, Subscription, TENANT};
use kalypso_sandbox::{Repository, Sandbox, Visibility};
use reqwest::blocking::{Client, RequestBuilder};
use serde_json::{Value, json};

/// An application that may sign in with `SECRET`, or as a job on `main` of the control plane.
pub(crate) const CLIENT: &str = "11111111-2222-3333-4444-555555555555";

/// What it signs in with.
pub(crate) const SECRET: &str = "s3cr3t~value/+";

/// Whom the job's identity tokens are about.
pub(crate) const SUBJECT: &str = "repo:contoso/control-plane:ref:refs/heads/main";

/// What the scope of an access token must be.
pub(crate) const SCOPE: &str = "https://management.azure.com/.default";

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// The code of an error, or of what is behind it.
    pub(crate) fn code(&self) -> &str {
        let error = &self.body["error"];
        error["details"][0]["code"].as_str().or(error["code"].as_str()).unwrap_or_default()
    }
}

/// A sandbox with `contoso/gitops`, one commit on `dev`, and an application that sees everything.
pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) gitops: Repository,
    http: Client,
}

impl Stage {
    pub(crate) fn new() -> Stage {
        let sandbox = Sandbox::start().expect("a sandbox");
        sandbox.stop_clock(1_800_000_000);
        let gitops = sandbox.create_repository("contoso/gitops", Visibility::Private).expect("a repository");
        sandbox.create_repository("contoso/control-plane", Visibility::Private).expect("a repository");
        gitops
            .commit("dev", &[("README.md", Some("# What runs where\n"))], "First commit")
            .expect("a commit");
        let azure = sandbox.azure();
        azure.application(CLIENT).secret(SECRET).trusts(SUBJECT);
        azure.job(Job::new("contoso/control-plane", "main"));
        let http = http(&azure);
        Stage { sandbox, gitops, http }
    }

    pub(crate) fn azure(&self) -> Azure {
        self.sandbox.azure()
    }

    pub(crate) fn subscription(&self) -> Subscription {
        self.azure().subscription("edge")
    }

    /// A configuration that follows `dev`, on a cluster of its own.
    pub(crate) fn drone(&self, number: usize) -> Configuration {
        let cluster = self.subscription().arc(&format!("drone-{number}"));
        cluster.configuration("gitops-dev").follows(&self.gitops, "dev").kustomization("drone", "./drone")
    }

    pub(crate) fn commit(&self, message: &str) -> String {
        self.gitops.commit("dev", &[("file", Some(message))], message).expect("a commit")
    }

    /// Lets seconds pass.
    pub(crate) fn pass(&self, seconds: u64) {
        self.sandbox.advance(std::time::Duration::from_secs(seconds));
    }

    /// An access token.
    pub(crate) fn token(&self) -> String {
        let answer = self.sign_in(TENANT, &[("client_id", CLIENT), ("client_secret", SECRET)]);
        answer.body["access_token"].as_str().expect("a token").to_owned()
    }

    /// Signs in with these fields, beside those that every sign-in has unless they are among them.
    pub(crate) fn sign_in(&self, tenant: &str, fields: &[(&str, &str)]) -> Answer {
        let mut form = vec![("grant_type", "client_credentials"), ("scope", SCOPE)];
        form.retain(|(name, _)| fields.iter().all(|(other, _)| other != name));
        form.extend_from_slice(fields);
        let url = format!("{}/{tenant}/oauth2/v2.0/token", self.azure().url());
        finish(self.http.post(url).form(&form)).expect("an answer")
    }

    /// An identity token for an audience.
    pub(crate) fn assertion(&self, audience: &str) -> String {
        let environment = self.azure().environment();
        let variable =
            |name| environment.iter().find(|(key, _)| *key == name).expect("a variable").1.as_str();
        let url = format!("{}&audience={audience}", variable("ACTIONS_ID_TOKEN_REQUEST_URL"));
        let request = self.http.get(url).bearer_auth(variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN"));
        finish(request).expect("an answer").body["value"].as_str().expect("a token").to_owned()
    }

    pub(crate) fn get(&self, token: &str, path: &str) -> Answer {
        finish(authorized(self.http.get(self.url(path)), token)).expect("an answer")
    }

    pub(crate) fn query(&self, token: &str, body: &Value) -> Answer {
        self.try_query(token, body).expect("an answer")
    }

    pub(crate) fn try_query(&self, token: &str, body: &Value) -> reqwest::Result<Answer> {
        let url = self.url("/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01");
        finish(authorized(self.http.post(url), token).json(body))
    }

    /// The rows of a query's first page.
    pub(crate) fn rows(&self, token: &str, query: &str) -> Vec<Value> {
        let answer = self.query(token, &json!({ "query": query, "options": { "$top": 1000 } }));
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["data"].as_array().expect("rows").clone()
    }

    fn url(&self, path: &str) -> String {
        if path.starts_with("https://") { path.to_owned() } else { format!("{}{path}", self.azure().url()) }
    }
}

/// Trusts the sandbox's authority and no other.
fn http(azure: &Azure) -> Client {
    // Every test asks; the first one wins.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let pem = std::fs::read(azure.ca_file()).expect("a certificate");
    Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(&pem).expect("a certificate")])
        .no_proxy()
        .timeout(std::time::Duration::from_secs(20))
        .build()
        .expect("a client")
}

fn authorized(request: RequestBuilder, token: &str) -> RequestBuilder {
    if token.is_empty() { request } else { request.bearer_auth(token) }
}

fn finish(request: RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send()?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text()?;
    Ok(Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) })
}
