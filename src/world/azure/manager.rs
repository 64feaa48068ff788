//! Azure Resource Manager: resources themselves, where the index over them lags.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use rollout::{ConfigurationId, Connectivity, Direct, Observation};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::client::{Call, Client, Patience};
use super::configuration;
use super::error::{Error, Kind};

/// At most five reads a second.
const GAP: Duration = Duration::from_millis(200);

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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    value: Vec<Subscription>,
    next_link: Option<String>,
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
    pub(super) fn configuration(&mut self, client: &Client, id: &ConfigurationId) -> Result<Direct, Error> {
        let action = format!("read the configuration {}", id.as_str());
        let resource = match self.resource(client, &action, id.as_str(), "2023-05-01") {
            Err(error) if *error.kind() == Kind::NotFound => return Ok(Direct::Gone),
            read => read?,
        };
        let connectivity = self.connectivity(client, configuration::cluster_of(id));
        match configuration::of_resource(&resource, connectivity) {
            Some(observation) if observation.id == *id => Ok(Direct::Found(Box::new(observation))),
            _ => Err(Error::new(&action, Kind::Unreadable, "the answer is about something else")),
        }
    }

    /// Every subscription that the identity sees.
    pub(super) fn subscriptions(&mut self, client: &Client) -> Result<Vec<Subscription>, Error> {
        let action = "list the subscriptions";
        let (mut all, mut url) = (Vec::new(), self.at("/subscriptions", "2022-12-01"));
        loop {
            let call = Call { action, url: url.clone(), body: None, patience: Patience::USUAL };
            let listed: Listed = client.call(&call)?.value;
            let is_last = listed.value.is_empty();
            all.extend(listed.value);
            let Some(next) = listed.next_link.filter(|link| !link.is_empty() && !is_last) else {
                return Ok(all);
            };
            // The access token belongs to this server.
            url = Url::parse(&next)
                .ok()
                .filter(|next| next.origin() == self.url.origin())
                .ok_or_else(|| Error::new(action, Kind::Unreadable, "the list goes on at another server"))?;
        }
    }

    /// A cluster that was not there is asked for again: rows lag, and a failure may rest on it.
    fn connectivity(&mut self, client: &Client, cluster: &str) -> Connectivity {
        match self.clusters.get(cluster) {
            Some(known @ (Connectivity::Connected | Connectivity::Unknown)) => return known.clone(),
            Some(Connectivity::Disconnected { .. }) | None => {}
        }
        let version = match cluster {
            cluster if cluster.contains("/microsoft.kubernetes/connectedclusters/") => "2024-01-01",
            cluster if cluster.contains("/microsoft.containerservice/managedclusters/") => "2024-05-01",
            _ => return Connectivity::Unknown,
        };
        let action = format!("read the cluster {cluster}");
        let Ok(resource) = self.resource(client, &action, cluster, version) else {
            return Connectivity::Unknown;
        };
        let found = configuration::connectivity_of(&resource);
        self.clusters.insert(cluster.to_owned(), found.clone());
        found
    }

    fn resource(&mut self, client: &Client, action: &str, id: &str, version: &str) -> Result<Value, Error> {
        if let Some(next) = self.last.and_then(|last| last.checked_add(GAP)) {
            client.wait_until(next, "Azure Resource Manager is asked five times a second");
        }
        self.last = Some(client.now());
        let (url, patience) = (self.at(id, version), self.patience);
        Ok(client.call(&Call { action, url, body: None, patience })?.value)
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
