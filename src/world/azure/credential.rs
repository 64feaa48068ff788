//! Ways to sign in to Azure, and which of them is taken.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::error::ErrorKind;
use azure_core::http::{ClientOptions, HttpClient, RetryOptions, Transport};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, AzureDeveloperCliCredential,
    AzureDeveloperCliCredentialOptions, ClientAssertionCredential, ClientAssertionCredentialOptions,
    ClientSecretCredential, ClientSecretCredentialOptions, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential,
    WorkloadIdentityCredentialOptions,
};
use serde::Deserialize;
use url::Url;

use super::assertion::{Assertion, Claims, Issuer};
use super::cloud::Place;
use super::denial::Denials;
use super::secrets::Secrets;
use crate::exit::Failure;
use crate::world::http::is_loopback;
use crate::world::said::one_line;
use crate::world::tokens::Token;

/// What was given to sign in with.
#[derive(Clone, Debug, Default)]
pub(crate) struct SignIn {
    /// The directory
    pub(crate) tenant_id: Option<String>,
    /// The application, or the managed identity
    pub(crate) client_id: Option<String>,
    /// A service principal with a secret, as JSON
    pub(crate) credentials: Option<Token>,
}

/// A way to sign in.
#[derive(Clone, Debug)]
pub(super) enum Way {
    /// With GitHub's identity token
    Federation { tenant: String, client: String, issuer: Issuer },
    /// With a client secret
    Secret(ServicePrincipal),
    /// With a Kubernetes service account's token
    Workload { tenant: Option<String>, client: Option<String> },
    /// As the machine, or one of the identities that it has
    Managed { client: Option<String> },
    /// As the person that has logged in with `az`
    Cli { tenant: Option<String> },
    /// As the person that has logged in with `azd`
    DeveloperCli { tenant: Option<String> },
}

/// The older JSON of a service principal; what else it holds does not matter.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServicePrincipal {
    client_id: String,
    client_secret: Token,
    tenant_id: String,
}

/// Signs in, one way or another, and hides every token before it is used.
#[derive(Debug)]
pub(super) struct Identity {
    ways: Vec<Way>,
    place: Place,
    transport: Arc<dyn HttpClient>,
    secrets: Arc<Secrets>,
    claims: Arc<Mutex<Option<Claims>>>,
    state: Mutex<State>,
}

/// Why there is nobody to sign in as: what each way said.
#[derive(Debug)]
pub(super) struct NoIdentity(Vec<String>);

#[derive(Debug, Default)]
struct State {
    /// The way that has worked
    chosen: Option<usize>,
    credential: Option<Arc<dyn TokenCredential>>,
}

/// The ways to try: one, if something is there that is meant for it.
pub(super) fn ways(given: &SignIn, variable: impl Fn(&str) -> Option<String>) -> Result<Vec<Way>, Failure> {
    let (tenant, client) = (given.tenant_id.clone(), given.client_id.clone());
    let is_action = variable("GITHUB_ACTIONS").is_some_and(|value| value == "true");
    let issuer = issuer(&variable)?;
    if let (Some(tenant), Some(client), Some(issuer)) = (&tenant, &client, &issuer) {
        return Ok(vec![Way::Federation {
            tenant: tenant.clone(),
            client: client.clone(),
            issuer: issuer.clone(),
        }]);
    }
    if let Some(credentials) = &given.credentials {
        return service_principal(credentials).map(|principal| vec![Way::Secret(principal)]);
    }
    if variable("AZURE_FEDERATED_TOKEN_FILE").is_some() {
        return Ok(vec![Way::Workload { tenant, client }]);
    }
    if variable("IDENTITY_ENDPOINT").is_some() {
        return Ok(vec![Way::Managed { client }]);
    }
    match (&tenant, &client) {
        (Some(_), Some(_)) if is_action => {
            let text = "the job has no identity token to sign in to Azure with: ACTIONS_ID_TOKEN_REQUEST_URL is not set";
            return Err(Failure::usage(text, "give the job the permission `id-token: write`"));
        }
        (Some(_), None) if issuer.is_some() => return Err(one_without("azure-tenant-id", "azure-client-id")),
        (None, Some(_)) if issuer.is_some() => return Err(one_without("azure-client-id", "azure-tenant-id")),
        _ => {}
    }
    // GitHub's own machines answer for a managed identity too, and have none.
    let is_own_machine = variable("RUNNER_ENVIRONMENT").is_some_and(|value| value == "self-hosted");
    let managed = is_own_machine.then_some(Way::Managed { client });
    let logged_in = [Way::Cli { tenant: tenant.clone() }, Way::DeveloperCli { tenant }];
    Ok(managed.into_iter().chain(logged_in).collect())
}

fn issuer(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Issuer>, Failure> {
    let (Some(url), Some(token)) =
        (variable("ACTIONS_ID_TOKEN_REQUEST_URL"), variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN"))
    else {
        return Ok(None);
    };
    let is_private = |url: &Url| url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
    match Url::parse(&url).ok().filter(is_private) {
        Some(url) => Ok(Some(Issuer { url, token: Token::secret(&token) })),
        None => {
            Err(Failure::usage("ACTIONS_ID_TOKEN_REQUEST_URL is no https URL", "leave it as GitHub sets it"))
        }
    }
}

fn service_principal(credentials: &Token) -> Result<ServicePrincipal, Failure> {
    let wrong = |reason: &str| {
        let help = "give the JSON with clientId, clientSecret and tenantId, or better azure-tenant-id and azure-client-id alone";
        Failure::usage(format!("`azure-credentials` cannot be used: {reason}"), help)
    };
    let principal: ServicePrincipal =
        serde_json::from_str(credentials.expose()).map_err(|error| match error.classify() {
            // The parser's own words name a field here, and would repeat parts of a secret elsewhere.
            serde_json::error::Category::Data if error.to_string().starts_with("missing field") => {
                wrong(&error.to_string())
            }
            _ => wrong("it is no such JSON"),
        })?;
    let ServicePrincipal { client_id, client_secret, tenant_id } = &principal;
    let empty =
        [("clientId", &**client_id), ("clientSecret", client_secret.expose()), ("tenantId", tenant_id)]
            .into_iter()
            .find(|(_, value)| value.is_empty());
    match empty {
        Some((name, _)) => Err(wrong(&format!("`{name}` is empty"))),
        None => Ok(principal),
    }
}

fn one_without(one: &str, other: &str) -> Failure {
    Failure::usage(format!("`{one}` is given without `{other}`"), format!("give `{other}` too"))
}

impl Way {
    /// As in "sign in to Azure with …".
    fn name(&self) -> &'static str {
        match self {
            Way::Federation { .. } => "GitHub's identity token",
            Way::Secret(_) => "the client secret of azure-credentials",
            Way::Workload { .. } => "the workload identity",
            Way::Managed { .. } => "the managed identity",
            Way::Cli { .. } => "the Azure CLI",
            Way::DeveloperCli { .. } => "the Azure Developer CLI",
        }
    }
}

impl Identity {
    /// Nothing is asked yet.
    pub(super) fn new(
        ways: Vec<Way>,
        place: Place,
        transport: Arc<dyn HttpClient>,
        secrets: Arc<Secrets>,
    ) -> Identity {
        for way in &ways {
            match way {
                Way::Federation { issuer, .. } => secrets.learn(&issuer.token),
                Way::Secret(principal) => secrets.learn(&principal.client_secret),
                Way::Workload { .. } | Way::Managed { .. } | Way::Cli { .. } | Way::DeveloperCli { .. } => {}
            }
        }
        Identity { ways, place, transport, secrets, claims: Arc::default(), state: Mutex::default() }
    }

    /// How it signs in.
    pub(super) fn way(&self) -> &'static str {
        match (self.state().chosen, &*self.ways) {
            (Some(chosen), ways) => ways.get(chosen).map_or("", Way::name),
            (None, [only]) => only.name(),
            (None, _) => "what is there",
        }
    }

    /// What GitHub's identity token claimed last.
    pub(super) fn claims(&self) -> Option<Claims> {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Signs in anew when it is asked again.
    pub(super) fn forget(&self) {
        self.state().credential = None;
    }

    fn connect(&self, way: &Way) -> azure_core::Result<Arc<dyn TokenCredential>> {
        match way.clone() {
            Way::Federation { tenant, client, issuer } => {
                let assertion = Assertion {
                    issuer,
                    audience: self.place.audience.clone(),
                    transport: self.transport.clone(),
                    secrets: self.secrets.clone(),
                    claims: self.claims.clone(),
                };
                let options = ClientAssertionCredentialOptions { client_options: self.options() };
                Ok(ClientAssertionCredential::new(tenant, client, assertion, Some(options))?)
            }
            Way::Secret(ServicePrincipal { client_id, client_secret, tenant_id }) => {
                let options = ClientSecretCredentialOptions { client_options: self.options() };
                let secret = client_secret.expose().to_owned().into();
                Ok(ClientSecretCredential::new(&tenant_id, client_id, secret, Some(options))?)
            }
            Way::Workload { tenant, client } => {
                let credential_options = ClientAssertionCredentialOptions { client_options: self.options() };
                Ok(WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
                    credential_options,
                    client_id: client,
                    tenant_id: tenant,
                    token_file_path: None,
                }))?)
            }
            Way::Managed { client } => {
                Ok(ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
                    user_assigned_id: client.map(UserAssignedId::ClientId),
                    client_options: self.options(),
                }))?)
            }
            Way::Cli { tenant } => Ok(AzureCliCredential::new(Some(AzureCliCredentialOptions {
                tenant_id: tenant,
                ..AzureCliCredentialOptions::default()
            }))?),
            Way::DeveloperCli { tenant } => {
                Ok(AzureDeveloperCliCredential::new(Some(AzureDeveloperCliCredentialOptions {
                    tenant_id: tenant,
                    ..AzureDeveloperCliCredentialOptions::default()
                }))?)
            }
        }
    }

    /// The pauses between tries are ours.
    fn options(&self) -> ClientOptions {
        let mut cloud = CustomConfiguration::default();
        cloud.authority_host = self.place.authority.to_string();
        ClientOptions {
            cloud: Some(Arc::new(CloudConfiguration::Custom(cloud))),
            transport: Some(Transport::new(self.transport.clone())),
            retry: RetryOptions::none(),
            per_try_policies: vec![Arc::new(Denials)],
            ..ClientOptions::default()
        }
    }

    async fn sign_in(
        &self,
        credential: &dyn TokenCredential,
        scopes: &[&str],
    ) -> azure_core::Result<AccessToken> {
        let token = credential.get_token(scopes, None).await?;
        self.secrets.learn(&Token::secret(token.token.secret()));
        Ok(token)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl TokenCredential for Identity {
    async fn get_token(
        &self,
        scopes: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let (known, chosen) = {
            let state = self.state();
            (state.credential.clone(), state.chosen)
        };
        if let Some(credential) = known {
            return self.sign_in(&*credential, scopes).await;
        }
        let mut said = Vec::new();
        for (at, way) in
            self.ways.iter().enumerate().filter(|(at, _)| chosen.is_none_or(|chosen| chosen == *at))
        {
            let credential = self.connect(way)?;
            match self.sign_in(&*credential, scopes).await {
                Ok(token) => {
                    *self.state() = State { chosen: Some(at), credential: Some(credential) };
                    return Ok(token);
                }
                Err(error) if self.ways.len() == 1 || chosen.is_some() => return Err(error),
                Err(error) => {
                    said.push(format!("{}: {}", way.name(), one_line(&self.secrets.hide(&error.to_string()))))
                }
            }
        }
        Err(azure_core::Error::new(ErrorKind::Credential, NoIdentity(said)))
    }
}

impl fmt::Display for NoIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is nothing to sign in with ({})", self.0.join("; "))
    }
}

impl std::error::Error for NoIdentity {}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINCIPAL: &str = r#"{"clientId":"c","clientSecret":"canary","tenantId":"t","subscriptionId":"s"}"#;
    const OIDC: [(&str, &str); 2] =
        [("ACTIONS_ID_TOKEN_REQUEST_URL", "https://i/x?v=2"), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "canary")];

    fn chosen(given: &SignIn, variables: &[(&str, &str)]) -> Result<String, String> {
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        match ways(given, variable) {
            Ok(ways) => {
                assert!(!format!("{ways:?}").contains("canary"));
                Ok(ways.iter().map(Way::name).collect::<Vec<_>>().join(", "))
            }
            Err(failure) => {
                assert!(!format!("{failure:?}").contains("canary"));
                Err(failure.reason())
            }
        }
    }

    #[test]
    fn the_way_that_is_meant() {
        let (both, tenant, client, nothing) = (("t", "c"), ("t", ""), ("", "c"), ("", ""));
        let action = [("GITHUB_ACTIONS", "true")];
        let own = [("GITHUB_ACTIONS", "true"), ("RUNNER_ENVIRONMENT", "self-hosted")];
        let oidc = [&action[..], &OIDC].concat();
        let workload =
            [&oidc[..], &[("AZURE_FEDERATED_TOKEN_FILE", "/f"), ("IDENTITY_ENDPOINT", "http://i")]].concat();
        let managed = [&action[..], &[("IDENTITY_ENDPOINT", "http://i")]].concat();
        let federated = "GitHub's identity token";
        let secret = "the client secret of azure-credentials";
        let logins = "the Azure CLI, the Azure Developer CLI";
        let machine = "the managed identity, the Azure CLI, the Azure Developer CLI";
        for ((tenant, client), credentials, variables, want, why) in [
            (both, "", &oidc[..], Ok(federated), "the default way"),
            (both, PRINCIPAL, &workload, Ok(federated), "it goes before all others"),
            (nothing, PRINCIPAL, &workload, Ok(secret), "it goes before what the machine has"),
            (both, PRINCIPAL, &action, Ok(secret), "without `id-token: write`"),
            (nothing, "", &workload, Ok("the workload identity"), "a pod"),
            (both, "", &managed, Ok("the managed identity"), "no identity token, but an identity"),
            (client, "", &own, Ok(machine), "a machine of one's own"),
            (nothing, "", &own, Ok(machine), "the same without a name"),
            (nothing, "", &oidc, Ok(logins), "GitHub's machines have no identity"),
            (nothing, "", &[], Ok(logins), "a laptop"),
            (both, "", &[], Ok(logins), "a laptop with the inputs of the workflow"),
            (both, "", &action, Err("identity token"), "no `id-token: write`"),
            (tenant, "", &oidc, Err("`azure-client-id`"), "half of it"),
            (client, "", &oidc, Err("`azure-tenant-id`"), "the other half"),
            (
                both,
                "",
                &[("ACTIONS_ID_TOKEN_REQUEST_URL", "http://i"), OIDC[1]],
                Err("no https URL"),
                "clear text",
            ),
        ] {
            let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            let credentials = some(credentials).map(|text| Token::secret(&text));
            let given = SignIn { tenant_id: some(tenant), client_id: some(client), credentials };
            match (chosen(&given, variables), want) {
                (Ok(got), Ok(want)) => assert_eq!(got, want, "{why}"),
                (Err(got), Err(want)) => assert!(got.contains(want), "{why}: {got}"),
                (got, want) => panic!("{why}: {got:?} instead of {want:?}"),
            }
        }
    }

    #[test]
    fn service_principals_that_cannot_be_used() {
        for (text, want) in [
            ("canary", "no such JSON"),
            ("{}", "missing field `clientId`"),
            (r#"{"clientId":"c","clientSecret":"canary"}"#, "missing field `tenantId`"),
            (r#"{"clientId":"c","clientSecret":"","tenantId":"t"}"#, "`clientSecret` is empty"),
            (r#"{"clientId":"canary","clientSecret":7,"tenantId":"t"}"#, "no such JSON"),
            (r#"["canary"]"#, "no such JSON"),
        ] {
            let given = SignIn { credentials: Some(Token::secret(text)), ..SignIn::default() };
            let said = chosen(&given, &[]).unwrap_err();
            assert!(said.contains(want), "{text}: {said}");
        }
    }
}
