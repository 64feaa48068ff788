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
            Err(error) if error.is_of_everything() => Err(error),
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
            Err(error) if error.is_of_everything() => Err(error),
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
    use serde_json::json;

    use super::super::fake::{Answer, Script, answer, id, page, read, refusal, rows, token, with};
    use super::*;
    use crate::world::clock::Clock;
    use crate::world::github::fake::FakeClock;

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

    #[test]
    fn a_throttled_read_of_a_cluster_is_left_to_the_caller() {
        let found = answer(200, &json!({ "id": id("A"), "properties": {} }));
        let throttled = with(refusal(429, "x"), "retry-after", "300");
        let (clock, script) = (FakeClock::new(), Script::new(vec![token(1), found, throttled]));
        let until = clock.now() + Duration::from_millis(300_200);
        let mut azure = script.azure(&clock, &[]);
        let error = azure.configuration(&ConfigurationId::new(&id("A")), &mut Lists::default()).unwrap_err();
        assert_eq!(*error.kind(), Kind::RateLimited { until });
    }

    #[test]
    fn one_resource() {
        let found =
            |state: &str| answer(200, &json!({ "id": id("A"), "properties": { "complianceState": state } }));
        let cluster = answer(200, &json!({ "properties": { "connectivityStatus": "Offline" } }));
        let unreadable = || refusal(403, "AuthorizationFailed");
        let other = answer(200, &json!({ "id": id("B"), "properties": {} }));
        let absent = |lists: Vec<Answer>| [vec![answer(404, &json!({})); 2], lists].concat();
        let listed = |names: &[&str], next: Option<&str>| {
            let value: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
            answer(200, &json!({ "value": value, "nextLink": next }))
        };
        let more = Some("https://management.azure.com/subscriptions/s/more");
        for (answers, want, calls, why) in [
            (vec![found("Compliant"), cluster], Some("Offline"), 2, "and its cluster"),
            (vec![found("Compliant"), unreadable()], Some(""), 2, "a cluster that may not be read"),
            (vec![refusal(404, "ResourceNotFound")], None, 1, "gone"),
            (vec![refusal(404, "SubscriptionNotFound")], Some("unreadable"), 1, "perhaps only not visible"),
            (vec![refusal(404, "InvalidResourceType")], Some("unreadable"), 1, "nobody looked for it"),
            (vec![answer(404, &json!("<html>")); 4], Some("unreadable"), 4, "not said by Azure"),
            (absent(vec![listed(&["B"], None)]), None, 3, "the list of its cluster lacks it"),
            (absent(vec![listed(&["gitops"], None)]), Some("unreadable"), 3, "the list has it"),
            (
                absent(vec![listed(&["B"], more), listed(&[], more), listed(&["GitOps"], None)]),
                Some("unreadable"),
                5,
                "the list has it on its last page",
            ),
            (absent(vec![listed(&["B"], more), listed(&[], None)]), None, 4, "no page of the list has it"),
            (absent(vec![listed(&["B"], more), unreadable()]), Some("unreadable"), 4, "the list breaks off"),
            (
                absent(vec![listed(&["B"], Some("https://evil.com/x"))]),
                Some("unreadable"),
                3,
                "the list goes on elsewhere",
            ),
            (absent(vec![answer(200, &json!({})); 2]), Some("unreadable"), 4, "that is no list"),
            (
                absent(vec![answer(200, &json!({ "value": [{}] })); 2]),
                Some("unreadable"),
                4,
                "the list has no names",
            ),
            (absent(vec![refusal(404, "ResourceNotFound")]), None, 3, "the cluster is gone"),
            (
                absent(vec![refusal(404, "InvalidResourceType")]),
                Some("unreadable"),
                3,
                "nobody looked for a list",
            ),
            (vec![None, found("Compliant"), unreadable()], Some(""), 3, "at the second try"),
            (vec![refusal(500, "InternalServerError"); 2], Some("unreadable"), 2, "it is asked again later"),
            (vec![unreadable()], Some("unreadable"), 1, "no role"),
            (vec![other, unreadable()], Some("unreadable"), 2, "another resource"),
        ] {
            let script = Script::new([vec![token(1)], answers].concat());
            let mut azure = script.azure(&FakeClock::new(), &[]);
            let got = match azure.configuration(&ConfigurationId::new(&id("A")), &mut Lists::default()) {
                Ok(Direct::Gone) => None,
                Ok(Direct::Unreadable) | Err(_) => Some("unreadable".to_owned()),
                Ok(Direct::Found(found)) => match found.cluster.connectivity {
                    rollout::Connectivity::Disconnected { state, .. } => Some(state),
                    _ => Some(String::new()),
                },
            };
            assert_eq!(got.as_deref(), want, "{why}");
            assert_eq!(script.calls().len(), calls, "{why}");
            let asked = &script.calls()[0].line;
            let want =
                format!("GET https://management.azure.com{}?api-version=2023-05-01", id("A").to_lowercase());
            assert_eq!(*asked, want);
        }
    }

    #[test]
    fn resources_are_read_five_times_a_second_and_clusters_once() {
        let found = || answer(200, &json!({ "id": id("A"), "properties": {} }));
        let script = Script::new(vec![token(1), page(&rows(&["A"]), 1, None), found(), found(), found()]);
        let clock = FakeClock::new();
        let mut azure = script.azure(&clock, &[]);
        read(&mut azure).unwrap();
        for _ in 0..3 {
            let Ok(Direct::Found(found)) =
                azure.configuration(&ConfigurationId::new(&id("A")), &mut Lists::default())
            else {
                panic!()
            };
            assert_eq!(found.cluster.connectivity, rollout::Connectivity::Connected, "as the rows had it");
        }
        assert_eq!(clock.slept(), [Duration::from_millis(200); 2]);
    }

    #[test]
    fn whether_a_cluster_is_there_is_asked_until_it_is_known_to_be() {
        let found = || answer(200, &json!({ "id": id("A"), "properties": {} }));
        let cluster = |state: &str| answer(200, &json!({ "properties": { "connectivityStatus": state } }));
        let row = |state: &str| page(&[json!({ "id": id("A"), "connectivityStatus": state })], 1, None);
        let forbidden = || refusal(403, "AuthorizationFailed");
        for (first, reads, want, why) in [
            (row("Offline"), vec![found(), cluster("Connected"), found()], ["Connected"; 2], "rows lag"),
            (
                row("Offline"),
                vec![found(), cluster("Expired"), found(), cluster("Connected")],
                ["Expired", "Connected"],
                "it comes back",
            ),
            (
                page(&[], 0, None),
                vec![found(), forbidden(), found(), cluster("Offline")],
                ["", "Offline"],
                "it could not be read once",
            ),
            (row("Offline"), vec![found(), forbidden(), found(), forbidden()], [""; 2], "never again"),
            (row(""), vec![found(), found()], [""; 2], "rows never show it"),
        ] {
            let calls = 1 + reads.len();
            let script = Script::new([vec![token(1), first], reads].concat());
            let mut azure = script.azure(&FakeClock::new(), &[]);
            read(&mut azure).unwrap();
            for want in want {
                let Ok(Direct::Found(found)) =
                    azure.configuration(&ConfigurationId::new(&id("A")), &mut Lists::default())
                else {
                    panic!("{why}")
                };
                let got = match found.cluster.connectivity {
                    rollout::Connectivity::Connected => "Connected".to_owned(),
                    rollout::Connectivity::Disconnected { state, .. } => state,
                    rollout::Connectivity::Unknown => String::new(),
                };
                assert_eq!(got, want, "{why}");
            }
            assert_eq!(script.calls().len(), calls, "{why}");
        }
    }

    #[test]
    fn given_subscriptions_must_be_visible() {
        let listed = |ids: &[&str], next: Option<&str>| {
            let value: Vec<Value> = ids
                .iter()
                .map(|id| json!({ "subscriptionId": id, "displayName": "n", "state": "Enabled" }))
                .collect();
            answer(200, &json!({ "value": value, "nextLink": next }))
        };
        let more = Some("https://management.azure.com/subscriptions?api-version=2022-12-01&$skiptoken=1");
        for (given, answers, want, why) in [
            (&[][..], vec![], Ok(()), "none given, nothing asked"),
            (&["S1"], vec![token(1), listed(&["s1"], None)], Ok(()), "in any case"),
            (
                &["s1", "s2"],
                vec![token(1), listed(&["s1"], more), listed(&["s2"], None)],
                Ok(()),
                "on two pages",
            ),
            (
                &["s1", "s2"],
                vec![token(1), listed(&["s1"], None)],
                Err(Kind::NotVisible(vec!["s2".to_owned()])),
                "one is not",
            ),
            (
                &["s1"],
                vec![token(1), listed(&["s0"], Some("https://evil.com/subscriptions"))],
                Err(Kind::Unreadable),
                "the list goes on elsewhere",
            ),
        ] {
            let script = Script::new(answers);
            let got = script.azure(&FakeClock::new(), given).check_subscriptions();
            match (got, want) {
                (Ok(()), Ok(())) => {}
                (Err(got), Err(want)) => assert_eq!(*got.kind(), want, "{why}"),
                (got, _) => panic!("{why}: {got:?}"),
            }
            assert!(script.seen().iter().all(|seen| !seen.line.contains("evil")), "{why}");
        }
    }
}
