//! What an identity sees at all, and what it may be missing.

use std::cmp::Reverse;

use serde_json::Value;

use super::manager::Subscription;

/// What can be seen at all, for those that see too little.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diagnosis {
    /// How the identity has signed in
    pub(crate) way: &'static str,
    /// The subscriptions that it sees
    pub(crate) subscriptions: Vec<Subscription>,
    /// How many clusters it sees in those that are looked at
    pub(crate) clusters: u64,
    /// What the configurations follow that it sees there, the most frequent first
    pub(crate) followed: Vec<Followed>,
    /// What it may be missing
    pub(crate) missing: Option<Missing>,
}

/// What some configurations follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Followed {
    /// The repository's URL, as it is written there
    pub(crate) url: String,
    /// The branch; empty where none is named
    pub(crate) branch: String,
    /// How many they are
    pub(crate) configurations: u64,
}

/// What an identity may not be allowed to do, if it is not that nothing is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// To see anything at all
    Everything,
    /// To see clusters, though it sees configurations on them
    Clusters,
    /// To see configurations, though it sees clusters
    Configurations,
}

impl Diagnosis {
    /// Out of the rows of two queries.
    pub(super) fn new(
        way: &'static str,
        subscriptions: Vec<Subscription>,
        clusters: &[Value],
        sources: &[Value],
    ) -> Diagnosis {
        let clusters = clusters.first().and_then(|row| number(row, "clusters")).unwrap_or_default();
        let mut followed: Vec<Followed> = sources.iter().map(followed).collect();
        followed.sort_by(|one, other| {
            let key = |it: &Followed| (Reverse(it.configurations), it.url.clone(), it.branch.clone());
            key(one).cmp(&key(other))
        });
        let missing = missing(clusters, &followed);
        Diagnosis { way, subscriptions, clusters, followed, missing }
    }
}

/// Which subscriptions are seen says nothing: a cluster can be seen without its own.
fn missing(clusters: u64, followed: &[Followed]) -> Option<Missing> {
    match (clusters, followed) {
        (0, []) => Some(Missing::Everything),
        (0, [_, ..]) => Some(Missing::Clusters),
        (1.., []) => Some(Missing::Configurations),
        (1.., [_, ..]) => None,
    }
}

fn followed(row: &Value) -> Followed {
    let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let configurations = number(row, "configurations").unwrap_or_default();
    Followed { url: text("url"), branch: text("branch"), configurations }
}

fn number(row: &Value, name: &str) -> Option<u64> {
    row.get(name)?.as_u64()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fake::{Script, answer, page, token};
    use super::*;
    use crate::world::github::fake::FakeClock;

    #[test]
    fn what_is_there_at_all() {
        let subscriptions =
            answer(200, &json!({ "value": [{ "subscriptionId": "s1", "displayName": "Edge" }] }));
        let source = |url: &str, configurations: u64| json!({ "url": url, "branch": "dev", "configurations": configurations });
        let sources = page(
            &[source("https://github.com/contoso/a", 1), source("https://github.com/contoso/b", 3)],
            2,
            None,
        );
        let script =
            Script::new(vec![token(1), subscriptions, page(&[json!({ "clusters": 4 })], 1, None), sources]);
        let got = script.azure(&FakeClock::new(), &[]).diagnosis().unwrap();
        assert_eq!((got.way, got.clusters, got.missing), ("the client secret of azure-credentials", 4, None));
        assert_eq!(got.subscriptions, [Subscription { id: "s1".to_owned(), name: "Edge".to_owned() }]);
        assert_eq!(got.followed.iter().map(|it| it.configurations).collect::<Vec<_>>(), [3, 1]);
    }

    #[test]
    fn what_is_missing() {
        let one = Followed { url: "u".to_owned(), branch: String::new(), configurations: 1 };
        for (clusters, configurations, want) in [
            (0, 0, Some(Missing::Everything)),
            (0, 1, Some(Missing::Clusters)),
            (2, 0, Some(Missing::Configurations)),
            (2, 1, None),
        ] {
            let followed = vec![one.clone(); configurations];
            assert_eq!(missing(clusters, &followed), want, "{clusters} {configurations}");
        }
    }
}
