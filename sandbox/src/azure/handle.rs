//! Azure as its owner has it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::fleet::{self, ClusterKind, FluxConfiguration, Kustomization, Naming, Waits};
use super::resource::Record;
use super::state::{Put, Tenancy, uuid_of};
use super::{AzureLimits, Cloud, Federation, Gone, IDENTITY_TOKEN, Job, Life, REQUEST_TOKEN, TENANT, entra};
use crate::repository::Repository;
use crate::server::{Shared, State};

/// Azure; cheap to clone.
#[derive(Clone)]
pub struct Azure {
    shared: Arc<Shared>,
    ca_file: PathBuf,
}

/// An application of Entra, which signs in and sees things.
#[derive(Clone)]
pub struct Application {
    shared: Arc<Shared>,
    client_id: String,
}

/// A subscription, which clusters are in.
#[derive(Clone)]
pub struct Subscription {
    shared: Arc<Shared>,
    id: String,
}

/// A cluster.
#[derive(Clone)]
pub struct Cluster {
    shared: Arc<Shared>,
    /// In lower case.
    key: String,
}

/// A Flux configuration of a cluster, which follows a branch.
#[derive(Clone)]
pub struct Configuration {
    shared: Arc<Shared>,
    /// Its cluster's id in lower case.
    cluster: String,
    /// Its name in lower case.
    name: String,
}

impl Azure {
    pub(crate) fn new(shared: Arc<Shared>, ca_file: &Path) -> Azure {
        Azure { shared, ca_file: ca_file.to_owned() }
    }

    /// The address of everything: authority, Resource Manager, Resource Graph.
    pub fn url(&self) -> String {
        self.shared.lock().azure.url.clone()
    }

    /// The certificate that a client must trust, as PEM.
    pub fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    /// The variables that lead a client here, those of a job's identity among them if there is a [`Job`].
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let url = self.url();
        let mut variables = vec![
            ("AZURE_AUTHORITY_HOST", url.clone()),
            ("INPUT_AZURE-RESOURCE-MANAGER-URL", url.clone()),
            ("SSL_CERT_FILE", self.ca_file.display().to_string()),
        ];
        if self.shared.lock().azure.job.is_some() {
            variables
                .push(("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{url}{IDENTITY_TOKEN}?api-version=2.0")));
            variables.push(("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN.to_owned()));
        }
        variables
    }

    /// Makes it another cloud.
    pub fn set_cloud(&self, cloud: Cloud) {
        self.shared.lock().azure.cloud = cloud;
    }

    /// Sets other limits than Azure's, from now on.
    pub fn set_limits(&self, limits: AzureLimits) {
        self.shared.lock().azure.limits = limits;
    }

    /// Has Resource Manager say in another way that a resource is not there, from now on.
    pub fn says_gone(&self, how: Gone) {
        self.shared.lock().azure.gone = how;
    }

    /// Lets this job ask for identity tokens.
    pub fn job(&self, job: Job) {
        self.shared.lock().azure.job = Some(job);
    }

    /// Whom the identity tokens of the job are about.
    pub fn subject(&self) -> Option<String> {
        let state = self.shared.lock();
        state.azure.job.as_ref().map(|job| job.subject(&state.github))
    }

    /// Makes another tenant known.
    pub fn tenant(&self, id: &str) {
        self.shared.lock().azure.tenants.insert(id.to_lowercase());
    }

    /// An application, which sees everything; it is made if it is not there.
    pub fn application(&self, client_id: &str) -> Application {
        let client_id = client_id.to_lowercase();
        self.shared.lock().azure.applications.entry(client_id.clone()).or_default();
        Application { shared: self.shared.clone(), client_id }
    }

    /// A subscription of a name; it is made if it is not there.
    pub fn subscription(&self, name: &str) -> Subscription {
        let id = uuid_of(name);
        let tenancy = || Tenancy::new(&id, name, TENANT);
        self.shared.lock().azure.subscriptions.entry(id.clone()).or_insert_with(tenancy);
        Subscription { shared: self.shared.clone(), id }
    }

    /// Puts a resource there, as Resource Manager has it, or another in its place.
    pub fn put(&self, resource: Value) {
        let azure = &mut self.shared.lock().azure;
        let record = Arc::new(Record::of(&resource, TENANT));
        let id = record.subscription.clone();
        let tenancy = Tenancy::new(&id, &id, TENANT);
        azure.subscriptions.entry(id).or_insert(tenancy);
        let key = resource["id"].as_str().unwrap_or_default().to_lowercase();
        azure.resources.insert(key, Put { whole: resource, record });
    }

    /// Deletes a resource that was put there.
    pub fn delete(&self, id: &str) {
        self.shared.lock().azure.resources.remove(&id.to_lowercase());
    }

    /// Makes every access token unknown, as when they are revoked.
    pub fn revoke_tokens(&self) {
        self.shared.lock().azure.tokens.clear();
    }
}

impl Application {
    /// It signs in with the identity tokens of jobs whose subject is this one.
    pub fn trusts(self, subject: &str) -> Application {
        let cloud = self.shared.lock().azure.cloud;
        self.federates(Federation::github(subject, cloud))
    }

    /// It signs in with the identity tokens of someone else.
    pub fn federates(self, federation: Federation) -> Application {
        self.edit(|application| application.federations.push(federation))
    }

    /// It signs in with this secret.
    pub fn secret(self, secret: &str) -> Application {
        self.edit(|application| {
            application.secrets.insert(secret.to_owned(), None);
        })
    }

    /// It signs in with this secret until so much time has passed.
    pub fn secret_for(self, secret: &str, lifetime: Duration) -> Application {
        let ends = self.shared.lock().github.now() + signed(lifetime);
        self.edit(|application| {
            application.secrets.insert(secret.to_owned(), Some(ends));
        })
    }

    /// It sees these subscriptions, and no others.
    pub fn sees(self, subscriptions: &[&Subscription]) -> Application {
        let ids = subscriptions.iter().map(|subscription| subscription.id.clone()).collect();
        self.edit(|application| application.subscriptions = Some(ids))
    }

    /// It may not read resources of this type, such as `Microsoft.Kubernetes/connectedClusters`.
    pub fn cannot_read(self, kind: &str) -> Application {
        self.edit(|application| {
            application.hidden.insert(kind.to_lowercase());
        })
    }

    fn edit(self, edit: impl FnOnce(&mut entra::Application)) -> Application {
        if let Some(application) = self.shared.lock().azure.applications.get_mut(&self.client_id) {
            edit(application);
        }
        self
    }
}

impl Subscription {
    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// It belongs to another tenant, which lets this one's applications in.
    pub fn in_tenant(self, tenant: &str) -> Subscription {
        if let Some(one) = self.shared.lock().azure.subscriptions.get_mut(&self.id) {
            *one = Tenancy::new(&self.id, &one.name, tenant);
        }
        self
    }

    /// An Arc-enabled cluster of a name; it is made if it is not there.
    pub fn arc(&self, name: &str) -> Cluster {
        self.cluster(name, ClusterKind::Arc)
    }

    /// An AKS cluster of a name; it is made if it is not there.
    pub fn aks(&self, name: &str) -> Cluster {
        self.cluster(name, ClusterKind::Aks)
    }

    fn cluster(&self, name: &str, kind: ClusterKind) -> Cluster {
        let mut state = self.shared.lock();
        let cluster = fleet::Cluster::new(&self.id, name, kind, state.github.now());
        let key = cluster.id.to_lowercase();
        state.azure.clusters.entry(key.clone()).or_insert(cluster);
        Cluster { shared: self.shared.clone(), key }
    }
}

impl Cluster {
    /// Its id.
    pub fn id(&self) -> String {
        self.shared.lock().azure.clusters.get(&self.key).map_or(String::new(), |cluster| cluster.id.clone())
    }

    /// From now on it is not heard of: an Arc-enabled one is offline, another one is stopped.
    pub fn disconnect(&self) {
        self.disconnect_after(Duration::ZERO);
    }

    /// So much later it is not heard of.
    pub fn disconnect_after(&self, time: Duration) {
        self.edit(|cluster, now| cluster.silence = Some((now + signed(time), None)));
    }

    /// So much later it is heard of again.
    pub fn connect_after(&self, time: Duration) {
        self.edit(|cluster, now| {
            cluster.silence = cluster.silence.map(|(from, _)| (from, Some(now + signed(time))));
        });
    }

    /// A configuration of a name, in namespace `flux-system`; it is made if it is not there.
    ///
    /// It follows nothing yet.
    pub fn configuration(&self, name: &str) -> Configuration {
        self.edit(|cluster, now| {
            let configuration = FluxConfiguration::new(cluster, name, now);
            cluster.configurations.entry(name.to_lowercase()).or_insert(configuration);
        });
        Configuration { shared: self.shared.clone(), cluster: self.key.clone(), name: name.to_lowercase() }
    }

    fn edit(&self, edit: impl FnOnce(&mut fleet::Cluster, Timestamp)) {
        let mut state = self.shared.lock();
        let now = state.github.now();
        if let Some(cluster) = state.azure.clusters.get_mut(&self.key) {
            edit(cluster, now);
        }
    }
}

impl Configuration {
    /// Its id.
    pub fn id(&self) -> String {
        let state = self.shared.lock();
        let cluster = state.azure.clusters.get(&self.cluster);
        let configuration = cluster.and_then(|cluster| cluster.configurations.get(&self.name));
        configuration.map_or(String::new(), |configuration| configuration.id.clone())
    }

    /// It follows a branch.
    pub fn follows(self, repository: &Repository, branch: &str) -> Configuration {
        let (key, branch) = (repository.key().to_owned(), branch.to_owned());
        {
            let mut state = self.shared.lock();
            let State { github, azure, .. } = &mut *state;
            azure.heads.entry(key.clone()).or_default().entry(branch.clone()).or_default();
            azure.observe(github);
        }
        self.edit(|one| (one.source.repository, one.source.branch) = (key, branch))
    }

    /// Its repository's URL is written so.
    pub fn url(self, url: &str) -> Configuration {
        self.edit(|one| one.source.url = Some(url.to_owned()))
    }

    /// It does not name its branch, and so means `master`.
    pub fn without_branch(self) -> Configuration {
        self.edit(|one| one.source.naming = Naming::Unnamed)
    }

    /// It follows a `tag`, a `semver` or a `commit`, whatever its branch.
    pub fn pinned(self, what: &'static str, value: &str) -> Configuration {
        self.edit(|one| one.source.pin = Some((what, value.to_owned())))
    }

    /// Its objects are in another namespace.
    pub fn namespace(self, namespace: &str) -> Configuration {
        self.edit(|one| namespace.clone_into(&mut one.namespace))
    }

    /// Its source is looked at so often.
    pub fn interval(self, interval: Duration) -> Configuration {
        self.edit(|one| one.source.interval = Some(interval))
    }

    /// It applies a folder.
    pub fn kustomization(self, key: &str, path: &str) -> Configuration {
        let kustomization = Kustomization {
            path: path.to_owned(),
            waits: Waits::ForHealth,
            interval: None,
            retry: None,
            timeout: None,
        };
        self.edit(|one| {
            one.kustomizations.insert(key.to_owned(), kustomization);
        })
    }

    /// Its kustomizations wait for health, or do not.
    pub fn waits(self, waits: Waits) -> Configuration {
        self.edit(|one| one.kustomizations.values_mut().for_each(|kustomization| kustomization.waits = waits))
    }

    /// Its kustomizations are applied so often, tried again so soon, and one try takes at most so long.
    pub fn timing(self, interval: Duration, retry: Option<Duration>, timeout: Duration) -> Configuration {
        self.edit(|one| {
            for kustomization in one.kustomizations.values_mut() {
                (kustomization.interval, kustomization.retry, kustomization.timeout) =
                    (Some(interval), retry, Some(timeout));
            }
        })
    }

    /// From now on it fares so.
    pub fn live(self, life: Life) -> Configuration {
        let now = {
            let mut state = self.shared.lock();
            let State { github, azure, .. } = &mut *state;
            azure.observe(github);
            github.now()
        };
        self.edit(|one| (one.life, one.told) = (life, now))
    }

    /// It is not there any more.
    pub fn delete(&self) {
        if let Some(cluster) = self.shared.lock().azure.clusters.get_mut(&self.cluster) {
            cluster.configurations.remove(&self.name);
        }
    }

    fn edit(self, edit: impl FnOnce(&mut FluxConfiguration)) -> Configuration {
        let mut state = self.shared.lock();
        let cluster = state.azure.clusters.get_mut(&self.cluster);
        if let Some(one) = cluster.and_then(|cluster| cluster.configurations.get_mut(&self.name)) {
            edit(one);
            one.forget_rendered();
        }
        drop(state);
        self
    }
}

fn signed(time: Duration) -> SignedDuration {
    SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX)
}
