//! Azure Resource Manager: resources themselves, where the index over them lags.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use rollout::{ConfigurationId, Connectivity, Direct, Observation};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::client::{Call, Client, Patience};
use super::configuration;
use super::error::{Error, Kind};

/// At most five reads a second.
const GAP: Duration = Duration::from_millis(200);

/// The version of the interface that knows configurations.
const CONFIGURATIONS_VERSION: &str = "2023-05-01";

/// No list has more pages.
const PAGES: usize = 1000;

/// Reads resources one by one.
#[derive(Debug)]
pub(super) struct Manager {
    url: Url,
    last: Option<SystemTime>,
    /// What is known of clusters, by id
    clusters: BTreeMap<String, Connectivity>,
    /// How long a resource is tried to be read
    pub(super) patience: Patience,
}

/// A subscription that the identity sees.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Subscription {
    /// Its id
    #[serde(rename = "subscriptionId")]
    pub(crate) id: String,
    /// What people call it
    #[serde(default, rename = "displayName")]
    pub(crate) name: String,
}

/// The names of all configurations that clusters list, by cluster; nothing where they do not tell.
#[derive(Debug, Default)]
pub(crate) struct Lists(BTreeMap<String, Option<BTreeSet<String>>>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed<T> {
    value: Vec<T>,
    next_link: Option<String>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl Manager {
    /// Nothing is asked yet.
    pub(super) fn new(url: &Url) -> Manager {
        Manager { url: url.clone(), last: None, clusters: BTreeMap::new(), patience: Patience::SHORT }
    }

    /// Takes what rows say of clusters, so that it need not be asked.
    pub(super) fn learn(&mut self, rows: &[Observation]) {
        for row in rows {
            self.clusters.insert(row.cluster.id.clone(), row.cluster.connectivity.clone());
        }
    }

    /// A configuration as it is now. That it is gone is believed only if Azure itself says so.
    pub(super) fn configuration(
        &mut self,
        client: &Client,
        id: &ConfigurationId,
        lists: &mut Lists,
    ) -> Result<Direct, Error> {
        let action = format!("read the configuration {}", id.as_str());
        let resource = match self.resource(client, &action, id.as_str(), CONFIGURATIONS_VERSION) {
            Err(error) if *error.kind() == Kind::NotFound => return Ok(Direct::Gone),
            Err(error) if *error.kind() == Kind::Absent => {
                let gone = self.is_missing(client, id, lists)?.then_some(Direct::Gone);
                return gone.ok_or(error);
            }
            read => read?,
        };
        let connectivity = self.connectivity(client, configuration::cluster_of(id))?;
        match configuration::of_resource(&resource, connectivity) {
            Some(observation) if observation.id == *id => Ok(Direct::Found(Box::new(observation))),
            _ => Err(Error::new(&action, Kind::Unreadable, "the answer is about something else")),
        }
    }

    /// Every subscription that the identity sees.
    pub(super) fn subscriptions(&mut self, client: &Client) -> Result<Vec<Subscription>, Error> {
        let url = self.at("/subscriptions", "2022-12-01");
        self.list(client, "list the subscriptions", url, Patience::USUAL)
    }

    /// Whether the list of its cluster is there and lacks a configuration. Each list is read once.
    fn is_missing(
        &mut self,
        client: &Client,
        id: &ConfigurationId,
        Lists(lists): &mut Lists,
    ) -> Result<bool, Error> {
        let cluster = configuration::cluster_of(id);
        if !lists.contains_key(cluster) {
            lists.insert(cluster.to_owned(), self.configurations(client, cluster)?);
        }
        let names = lists.get(cluster).and_then(Option::as_ref);
        Ok(names.is_some_and(|names| !names.contains(configuration::last_segment(id.as_str()))))
    }

    /// The names of all configurations on a cluster, in lower case; nothing if they cannot be listed.
    fn configurations(&mut self, client: &Client, cluster: &str) -> Result<Option<BTreeSet<String>>, Error> {
        let url = self.at(&format!("{cluster}{}", configuration::CONFIGURATIONS), CONFIGURATIONS_VERSION);
        let action = format!("list the configurations of {cluster}");
        let listed: Result<Vec<Named>, Error> = self.list(client, &action, url, self.patience);
        match listed {
            Ok(listed) => Ok(Some(listed.into_iter().map(|one| one.name.to_lowercase()).collect())),
            Err(error) if *error.kind() == Kind::NotFound => Ok(Some(BTreeSet::new())),
            Err(error) if matches!(error.kind(), Kind::RateLimited { .. }) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Every page of a list.
    fn list<T: DeserializeOwned>(
        &mut self,
        client: &Client,
        action: &str,
        mut url: Url,
        patience: Patience,
    ) -> Result<Vec<T>, Error> {
        let unreadable = |said| Error::new(action, Kind::Unreadable, said);
        let mut all = Vec::new();
        for _ in 0..PAGES {
            let listed: Listed<T> = self.call(client, &Call { action, url, body: None, patience })?;
            all.extend(listed.value);
            // A page may be empty that is not the last one.
            let Some(next) = listed.next_link.filter(|link| !link.is_empty()) else { return Ok(all) };
            // The access token belongs to this server.
            url = Url::parse(&next)
                .ok()
                .filter(|next| next.origin() == self.url.origin())
                .ok_or_else(|| unreadable("the list goes on at another server"))?;
        }
        Err(unreadable("the list does not end"))
    }

    /// A cluster that was not there is asked for again: rows lag, and a failure may rest on it.
    fn connectivity(&mut self, client: &Client, cluster: &str) -> Result<Connectivity, Error> {
        match self.clusters.get(cluster) {
            Some(known @ (Connectivity::Connected | Connectivity::Unknown)) => return Ok(known.clone()),
            Some(Connectivity::Disconnected { .. }) | None => {}
        }
        let version = match cluster {
            cluster if cluster.contains("/microsoft.kubernetes/connectedclusters/") => "2024-01-01",
            cluster if cluster.contains("/microsoft.containerservice/managedclusters/") => "2024-05-01",
            _ => return Ok(Connectivity::Unknown),
        };
        let action = format!("read the cluster {cluster}");
        match self.resource(client, &action, cluster, version) {
            Ok(resource) => {
                let found = configuration::connectivity_of(&resource);
                self.clusters.insert(cluster.to_owned(), found.clone());
                Ok(found)
            }
            // Whatever is asked next would be refused, too.
            Err(error) if matches!(error.kind(), Kind::RateLimited { .. }) => Err(error),
            Err(_) => Ok(Connectivity::Unknown),
        }
    }

    fn resource(&mut self, client: &Client, action: &str, id: &str, version: &str) -> Result<Value, Error> {
        let (url, patience) = (self.at(id, version), self.patience);
        self.call(client, &Call { action, url, body: None, patience })
    }

    fn call<T: DeserializeOwned>(&mut self, client: &Client, call: &Call<'_>) -> Result<T, Error> {
        if let Some(next) = self.last.and_then(|last| last.checked_add(GAP)) {
            client.wait_until(next, "Azure Resource Manager is asked five times a second");
        }
        self.last = Some(client.now());
        Ok(client.call(call)?.value)
    }

    /// The URL of a resource: whatever its id is, it stays on this server and below this path.
    fn at(&self, id: &str, version: &str) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().extend(id.split('/').filter(|segment| !segment.is_empty()));
        }
        url.query_pairs_mut().clear().append_pair("api-version", version);
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_stay_where_they_belong() {
        let manager = Manager::new(&Url::parse("https://management.azure.com/").unwrap());
        for (id, want) in [
            ("/subscriptions/s1/x", "/subscriptions/s1/x"),
            ("subscriptions", "/subscriptions"),
            ("//evil.com/a", "/evil.com/a"),
            ("/a/../../b", "/a/b"),
            ("/a?b=c#d", "/a%3Fb=c%23d"),
            ("https://evil.com/@x", "/https:/evil.com/@x"),
            ("/a b/%2e%2e/ü", "/a%20b/%252e%252e/%C3%BC"),
            ("\\\\evil.com", "/%5C%5Cevil.com"),
        ] {
            let url = manager.at(id, "1");
            assert_eq!(url.as_str(), format!("https://management.azure.com{want}?api-version=1"), "{id}");
        }
    }
}
