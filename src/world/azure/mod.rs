//! Azure: what clusters report, from the index over all resources and from the resources themselves.
//!
//! Everything here only reads. The Azure libraries are async; their runtime is in here, and what is public blocks.

mod assertion;
mod client;
mod cloud;
mod configuration;
mod credential;
mod denial;
mod error;
#[cfg(test)]
mod fake;
mod graph;
mod manager;
mod query;
mod secrets;
mod transport;
#[cfg(test)]
mod trial;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use azure_core::http::HttpClient;
use rollout::{CommitId, ConfigurationId, Direct, Observation, Tally, Time};
use serde_json::Value;

pub(crate) use self::cloud::Cloud;
pub(crate) use self::credential::SignIn;
pub(crate) use self::error::{Error, Kind};
pub(crate) use self::manager::{Lists, Subscription};

use self::client::Client;
use self::cloud::{Overrides, Place};
use self::credential::{Identity, Way};
use self::graph::{Graph, Summary};
use self::manager::Manager;
use self::secrets::Secrets;
use self::transport::Connections;
use super::clock::Clock;
use super::github::Announce;
use super::http::Http;
use crate::exit::Failure;

/// What was given about Azure; nothing where it is empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// Who signs in
    pub(crate) sign_in: SignIn,
    /// For whom GitHub's identity token is made out
    pub(crate) audience: Option<String>,
    /// Which cloud it is
    pub(crate) cloud: Cloud,
    /// Where Azure Resource Manager is, if not where the cloud has it
    pub(crate) manager_url: Option<String>,
    /// The subscriptions that are looked at; none: all that are visible
    pub(crate) subscriptions: Vec<String>,
}

/// What an identity can see in Azure.
#[derive(Debug)]
pub(crate) struct Azure {
    client: Client,
    graph: Graph,
    manager: Manager,
    subscriptions: Vec<String>,
}

/// Which configurations are looked at: those on a repository of this name, and perhaps some more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    name: String,
}

/// Which rows are read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rows<'a> {
    /// All of them
    All,
    /// Those that have fetched one of these commits, reported later than `since`
    Arrived { commits: &'a [CommitId], since: Option<Time> },
}

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

impl Azure {
    /// Nothing is asked yet, but every secret that is given, or in a variable, is announced.
    pub(crate) fn new(
        settings: Settings,
        variable: impl Fn(&str) -> Option<String>,
        http: &Http,
        clock: Arc<dyn Clock>,
        announce: Announce,
    ) -> Result<Azure, Failure> {
        let Settings { sign_in, audience, cloud, manager_url, subscriptions } = settings;
        let place = cloud.place(Overrides {
            authority: variable("AZURE_AUTHORITY_HOST").as_deref(),
            manager: manager_url.as_deref(),
            audience: audience.as_deref(),
        })?;
        let ways = credential::ways(&sign_in, variable)?;
        let connections = Arc::new(Connections(http.for_async()?));
        Azure::over(connections, ways, place, subscriptions, clock, announce)
    }

    fn over(
        connections: Arc<dyn HttpClient>,
        ways: Vec<Way>,
        place: Place,
        subscriptions: Vec<String>,
        clock: Arc<dyn Clock>,
        announce: Announce,
    ) -> Result<Azure, Failure> {
        let (graph, manager) =
            (Graph::new(&place.manager, subscriptions.clone()), Manager::new(&place.manager));
        let (secrets, scope) = (Arc::new(Secrets::new(announce)), place.scope);
        let identity = Arc::new(Identity::new(ways, place, connections.clone(), secrets.clone()));
        let client = Client::new(connections, identity, scope, secrets, clock)?;
        Ok(Azure { client, graph, manager, subscriptions })
    }

    /// After that time nothing is asked or waited for, however much is missing.
    pub(crate) fn end_at(&mut self, time: Option<SystemTime>) {
        self.client.ends = time;
    }

    /// Makes sure that every subscription that was given can be seen.
    pub(crate) fn check_subscriptions(&mut self) -> Result<(), Error> {
        if self.subscriptions.is_empty() {
            return Ok(());
        }
        let visible = self.manager.subscriptions(&self.client)?;
        let visible: BTreeSet<String> = visible.iter().map(|one| one.id.to_lowercase()).collect();
        let hidden: Vec<String> =
            self.subscriptions.iter().filter(|id| !visible.contains(&id.to_lowercase())).cloned().collect();
        if hidden.is_empty() {
            return Ok(());
        }
        let said = format!("the identity does not see {}", hidden.join(", "));
        Err(Error::new("look at every subscription of azure-subscriptions", Kind::NotVisible(hidden), &said))
    }

    /// How many configurations are in which state, and whether they mention one of these commits.
    pub(crate) fn tally(&mut self, filter: &Filter, mentioning: &[CommitId]) -> Result<Tally, Error> {
        let query = query::tally(&filter.name, mentioning);
        let Summary { rows, is_truncated } = self.graph.summary(&self.client, &query)?;
        let groups = rows
            .iter()
            .map(|row| configuration::group(row).ok_or_else(unreadable))
            .collect::<Result<_, _>>()?;
        Ok(Tally { groups, is_truncated })
    }

    /// What configurations show, page by page. A page may come twice.
    pub(crate) fn rows(
        &mut self,
        filter: &Filter,
        rows: Rows<'_>,
        mut page: impl FnMut(Vec<Observation>),
    ) -> Result<(), Error> {
        let query = match rows {
            Rows::All => query::rows(&filter.name),
            // The language has no empty list.
            Rows::Arrived { commits: [], .. } => return Ok(()),
            Rows::Arrived { commits, since } => query::arrived(&filter.name, commits, since),
        };
        let manager = &mut self.manager;
        self.graph.pages(&self.client, &query, |rows| {
            let rows: Vec<Observation> = rows
                .iter()
                .map(|row| configuration::of_row(row).ok_or_else(unreadable))
                .collect::<Result<_, _>>()?;
            manager.learn(&rows);
            page(rows);
            Ok(())
        })
    }

    /// A configuration as it is now, not as the index has it; `lists` is what has been read besides.
    pub(crate) fn configuration(&mut self, id: &ConfigurationId, lists: &mut Lists) -> Result<Direct, Error> {
        self.manager.configuration(&self.client, id, lists)
    }

    /// What can be seen at all.
    pub(crate) fn diagnosis(&mut self) -> Result<Diagnosis, Error> {
        let subscriptions = self.manager.subscriptions(&self.client)?;
        let clusters = self.graph.summary(&self.client, query::CLUSTERS)?.rows;
        let clusters = clusters.first().and_then(|row| number(row, "clusters")).unwrap_or_default();
        let sources = self.graph.summary(&self.client, query::SOURCES)?.rows;
        let mut followed: Vec<Followed> = sources.iter().map(followed).collect();
        followed.sort_by(|one, other| {
            let key =
                |it: &Followed| (std::cmp::Reverse(it.configurations), it.url.clone(), it.branch.clone());
            key(one).cmp(&key(other))
        });
        let missing = missing(clusters, &followed);
        Ok(Diagnosis { way: self.client.way(), subscriptions, clusters, followed, missing })
    }
}

impl Filter {
    /// Those on the repository at `url`, however they write it.
    pub(crate) fn new(url: &str) -> Filter {
        let path = url.trim().trim_end_matches('/');
        let name = path.rsplit(['/', ':']).next().unwrap_or(path);
        Filter { name: name.strip_suffix(".git").unwrap_or(name).to_owned() }
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

fn unreadable() -> Error {
    Error::new("query Azure Resource Graph", Kind::Unreadable, "a row has no id, or a group no number")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::fake::{Answer, Script, answer, page, refusal, token};
    use super::*;
    use crate::world::github::fake::{CANARY, FakeClock};
    use crate::world::tokens::Token;

    const GRAPH: &str = "POST https://management.azure.com/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01";

    fn filter() -> Filter {
        Filter::new("https://github.com/contoso/gitops")
    }

    fn id(name: &str) -> String {
        format!(
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Kubernetes/connectedClusters/{name}\
             /providers/Microsoft.KubernetesConfiguration/fluxConfigurations/gitops"
        )
    }

    fn rows(names: &[&str]) -> Vec<Value> {
        names.iter().map(|name| json!({ "id": id(name), "connectivityStatus": "Connected" })).collect()
    }

    fn with(answer: Answer, name: &'static str, value: &str) -> Answer {
        answer.map(|(status, mut headers, body)| {
            headers.push((name, value.to_owned()));
            (status, headers, body)
        })
    }

    fn quota_used_up(answer: Answer, resets_after: &str) -> Answer {
        let last = with(answer, "x-ms-user-quota-remaining", "0");
        with(last, "x-ms-user-quota-resets-after", resets_after)
    }

    fn slept(clock: &FakeClock) -> u64 {
        clock.slept().iter().sum::<Duration>().as_secs()
    }

    /// Reads all rows: their clusters, page by page.
    fn read(azure: &mut Azure) -> Result<Vec<Vec<String>>, Error> {
        let mut pages = Vec::new();
        let names = |rows: Vec<Observation>| rows.into_iter().map(|row| row.cluster.name).collect();
        azure.rows(&filter(), Rows::All, |rows| pages.push(names(rows)))?;
        Ok(pages)
    }

    #[test]
    fn what_is_asked() {
        let group =
            json!({ "configurations": 2, "compliance": "Compliant", "suspended": "", "mentions": "no" });
        for (subscriptions, want) in [
            (
                &[][..],
                json!({ "query": query::tally("gitops", &[]), "options": { "resultFormat": "objectArray", "$top": 1000 } }),
            ),
            (
                &["s1", "s2"],
                json!({ "query": query::tally("gitops", &[]), "options": { "resultFormat": "objectArray", "$top": 1000 },
                        "subscriptions": ["s1", "s2"] }),
            ),
        ] {
            let script = Script::new(vec![token(1), page(std::slice::from_ref(&group), 1, None)]);
            let tally = script.azure(&FakeClock::new(), subscriptions).tally(&filter(), &[]).unwrap();
            assert_eq!((tally.is_truncated, tally.groups[0].count), (false, 2));
            let [sign_in, call] = &script.seen()[..] else { panic!("{:?}", script.seen()) };
            assert_eq!(sign_in.line, "POST https://login.microsoftonline.com/t/oauth2/v2.0/token");
            let want_sign_in = "client_id=c&client_secret=canary-4711&grant_type=client_credentials\
                                &scope=https%3A%2F%2Fmanagement.azure.com%2F.default";
            assert_eq!(sign_in.body, want_sign_in);
            assert_eq!((&*call.line, call.token.as_deref()), (GRAPH, Some("Bearer canary-4711-1")));
            assert_eq!(call.body.parse::<Value>().unwrap(), want);
        }
    }

    #[test]
    fn a_tally_that_may_lack_something_says_so() {
        let group = json!({ "configurations": 2 });
        let truncated = |value: Value| {
            answer(200, &json!({ "totalRecords": 1, "count": 1, "resultTruncated": value, "data": [group] }))
        };
        for (answer, want, why) in [
            (page(std::slice::from_ref(&group), 1, None), false, "whole"),
            (page(std::slice::from_ref(&group), 2, None), true, "fewer than there are"),
            (page(std::slice::from_ref(&group), 1, Some("t")), true, "it would go on"),
            (truncated(json!("true")), true, "it says so"),
            (truncated(json!("True")), true, "in capital letters"),
            (truncated(json!(true)), true, "as a boolean"),
            (truncated(json!(1)), true, "in no known way"),
            (truncated(json!(false)), false, "it says no"),
        ] {
            let script = Script::new(vec![token(1), answer]);
            let tally = script.azure(&FakeClock::new(), &[]).tally(&filter(), &[]).unwrap();
            assert_eq!(tally.is_truncated, want, "{why}");
        }
        let script = Script::new(vec![token(1), page(&[json!({ "configurations": null })], 1, None)]);
        let error = script.azure(&FakeClock::new(), &[]).tally(&filter(), &[]).unwrap_err();
        assert_eq!(*error.kind(), Kind::Unreadable, "a group without a number");
    }

    #[test]
    fn rows_come_page_by_page_and_all_of_them() {
        let (a, ab) = (rows(&["a"]), rows(&["a", "b"]));
        let too_large = || refusal(400, "ResponsePayloadTooLarge");
        for (answers, want, tops, why) in [
            (vec![page(&ab, 2, None)], Ok(vec![vec!["a", "b"]]), vec![(1000, None)], "one page"),
            (
                vec![page(&ab, 3, Some("t")), page(&a, 3, None)],
                Ok(vec![vec!["a", "b"], vec!["a"]]),
                vec![(1000, None), (1000, Some("t"))],
                "two pages",
            ),
            (vec![page(&[], 0, None)], Ok(vec![vec![]]), vec![(1000, None)], "none"),
            (vec![page(&ab, 3, None)], Err(Kind::Incomplete), vec![(1000, None)], "one is missing"),
            (
                vec![page(&ab, 4, Some("t")), page(&a, 4, None)],
                Err(Kind::Incomplete),
                vec![(1000, None), (1000, Some("t"))],
                "one of the second page is missing",
            ),
            (vec![page(&[], 2, Some("t"))], Err(Kind::Incomplete), vec![(1000, None)], "it never ends"),
            (
                vec![
                    too_large(),
                    page(&ab, 3, Some("t")),
                    too_large(),
                    page(&ab, 3, Some("u")),
                    page(&a, 3, None),
                ],
                Ok(vec![vec!["a", "b"], vec!["a", "b"], vec!["a"]]),
                vec![(1000, None), (500, None), (500, Some("t")), (250, None), (250, Some("u"))],
                "rows that are too long come in shorter pages, from the first",
            ),
            (
                vec![with(page(&ab, 2, None), "x-ms-tenant-subscription-limit-hit", "true")],
                Err(Kind::CutOff),
                vec![(1000, None)],
                "subscriptions were left out",
            ),
            (
                vec![page(&[json!({})], 1, None)],
                Err(Kind::Unreadable),
                vec![(1000, None)],
                "a row without an id",
            ),
        ] {
            let script = Script::new([vec![token(1)], answers].concat());
            let got = read(&mut script.azure(&FakeClock::new(), &[]));
            let want: Result<Vec<Vec<String>>, Kind> = want.map(|pages| {
                pages.iter().map(|page| page.iter().map(|it| it.to_string()).collect()).collect()
            });
            match (got, want) {
                (Ok(got), Ok(want)) => assert_eq!(got, want, "{why}"),
                (Err(got), Err(want)) => assert_eq!(*got.kind(), want, "{why}"),
                (got, _) => panic!("{why}: {got:?}"),
            }
            let asked: Vec<(u64, Option<String>)> = script
                .calls()
                .iter()
                .map(|call| call.body.parse::<Value>().unwrap()["options"].clone())
                .map(|options| {
                    (options["$top"].as_u64().unwrap(), options["$skipToken"].as_str().map(str::to_owned))
                })
                .collect();
            let tops: Vec<_> = tops.into_iter().map(|(top, skip)| (top, skip.map(str::to_owned))).collect();
            assert_eq!(asked, tops, "{why}");
        }
    }

    #[test]
    fn what_may_pass_is_asked_again() {
        let good = || page(&rows(&["a"]), 1, None);
        let busy = |seconds: &str| with(refusal(429, "RateLimiting"), "retry-after", seconds);
        for (answers, want, calls, least, why) in [
            (vec![token(1), good()], None, 1, 0, "at once"),
            (vec![token(1), None, good()], None, 2, 0, "a connection that breaks"),
            (
                vec![token(1), refusal(500, "InternalServerError"), good()],
                None,
                2,
                0,
                "a failure of the server",
            ),
            (vec![token(1), answer(200, &json!("half")), good()], None, 2, 0, "an answer of another form"),
            (vec![token(1), busy("7"), good()], None, 2, 7, "asked to wait"),
            (vec![token(1), busy("61")], Some("RateLimited"), 1, 0, "for longer than the check waits"),
            (
                vec![token(1), refusal(503, "x"), refusal(503, "x"), refusal(503, "x"), refusal(503, "x")],
                Some("Server"),
                4,
                5,
                "for ever",
            ),
            (vec![token(1), refusal(403, "AuthorizationFailed")], Some("Forbidden"), 1, 0, "no role"),
            (vec![token(1), refusal(400, "BadRequest")], Some("Invalid"), 1, 0, "our fault"),
            (
                vec![token(1), refusal(401, "ExpiredAuthenticationToken"), token(2), good()],
                None,
                2,
                0,
                "a token that has ended",
            ),
            (
                vec![
                    token(1),
                    refusal(401, "InvalidAuthenticationToken"),
                    token(2),
                    refusal(401, "InvalidAuthenticationToken"),
                ],
                Some("Unauthorized"),
                2,
                0,
                "a token that is never taken",
            ),
            (vec![None, token(1), good()], None, 1, 0, "the directory cannot be reached at first"),
            (vec![answer(502, &json!(null)), token(1), good()], None, 1, 0, "it fails at first"),
        ] {
            let (script, clock) = (Script::new(answers), FakeClock::new());
            let got = read(&mut script.azure(&clock, &[]));
            match want {
                None => assert_eq!(got.unwrap(), [["a"]], "{why}"),
                Some(kind) => {
                    let error = got.unwrap_err();
                    assert!(format!("{:?}", error.kind()).starts_with(kind), "{why}: {error:?}");
                }
            }
            assert_eq!(script.calls().len(), calls, "{why}");
            let total = slept(&clock);
            // The pauses that nobody asked for vary: up to twice as long.
            assert!((least..=least * 2 + 1).contains(&total), "{why}: {total}");
        }
    }

    #[test]
    fn a_quota_that_is_used_up_is_waited_for() {
        let last = quota_used_up(page(&rows(&["a"]), 2, Some("t")), "00:00:04");
        let (clock, next) = (FakeClock::new(), page(&rows(&["b"]), 2, None));
        let script = Script::new(vec![token(1), last, next]);
        read(&mut script.azure(&clock, &[])).unwrap();
        assert_eq!(clock.slept(), [Duration::from_secs(4)]);
    }

    #[test]
    fn a_quota_that_comes_back_late_is_left_to_the_caller() {
        let last = quota_used_up(page(&rows(&["a"]), 1, None), "00:05:00");
        let clock = FakeClock::new();
        let script = Script::new(vec![token(1), last, page(&rows(&["b"]), 1, None)]);
        let mut azure = script.azure(&clock, &[]);
        read(&mut azure).unwrap();
        let until = clock.now() + Duration::from_secs(300);
        for _ in 0..2 {
            assert_eq!(*read(&mut azure).unwrap_err().kind(), Kind::RateLimited { until });
        }
        assert_eq!((script.calls().len(), slept(&clock)), (1, 0), "nothing is asked in vain");
        clock.sleep(Duration::from_secs(299), "");
        assert_eq!(read(&mut azure).unwrap(), [["b"]]);
    }

    #[test]
    fn when_time_is_over_nothing_is_asked_or_waited_for() {
        let more = || page(&rows(&["a"]), 9, Some("t"));
        let throttled = |seconds: u64| with(refusal(429, "x"), "retry-after", &seconds.to_string());
        for (answers, calls, waited, why) in [
            (vec![more(), more(), more()], 2, 0, "the third page would be too late"),
            (vec![more(), throttled(40)], 2, 0, "Azure asks for more time than there is"),
            (vec![more(), throttled(20), more()], 3, 20, "for less"),
            (vec![quota_used_up(more(), "00:01:40"), more()], 1, 0, "the quota comes back too late"),
        ] {
            let (clock, script) = (FakeClock::new(), Script::new([vec![token(1)], answers].concat()));
            let mut azure = script.azure(&clock, &[]);
            azure.end_at(Some(clock.now() + Duration::from_secs(90)));
            let error =
                azure.rows(&filter(), Rows::All, |_| clock.pass(Duration::from_secs(60))).unwrap_err();
            assert!(error.may_pass(), "{why}: {error}");
            assert_eq!((script.calls().len(), slept(&clock)), (calls, waited), "{why}");
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

    #[test]
    fn github_vouches_for_the_job() {
        let claims = json!({ "iss": "https://i", "sub": "repo:o/r:environment:dev", "aud": "api://AzureADTokenExchange" });
        // Long enough that what is said of it is cut.
        let assertion = format!("e30.{}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()), CANARY.repeat(30));
        let given =
            SignIn { tenant_id: Some("t".to_owned()), client_id: Some("c".to_owned()), credentials: None };
        let request = format!("{CANARY}-request");
        let variables = [
            ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://i/token?v=2"),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", &request),
        ];
        let vouched = || answer(200, &json!({ "value": assertion }));
        let denied = |code: u64| {
            let description = format!("AADSTS{code}: '{assertion}' not found. Trace ID: 1");
            answer(401, &json!({ "error": "x", "error_codes": [code], "error_description": description }))
        };
        let good = || page(&rows(&["a"]), 1, None);
        for (answers, want, help, why) in [
            (vec![vouched(), token(1), good()], None, "", "good"),
            (
                vec![vouched(), token(1), refusal(401, "x"), vouched(), token(2), good()],
                None,
                "",
                "each access token takes a new assertion",
            ),
            (vec![vouched(), denied(700_024), vouched(), token(1), good()], None, "", "it came too late"),
            (vec![answer(500, &json!({})), vouched(), token(1), good()], None, "", "GitHub fails at first"),
            (
                vec![vouched(), denied(700_213)],
                Some(
                    "cannot sign in to Azure with GitHub's identity token: Microsoft Entra answered 401: AADSTS700213: '***' not found.",
                ),
                "issuer https://i, subject repo:o/r:environment:dev, audience api://AzureADTokenExchange",
                "nobody trusts it",
            ),
            (vec![vouched(), denied(90_002)], Some("AADSTS90002"), "azure-tenant-id", "no such tenant"),
            (
                vec![vouched(), denied(700_016)],
                Some("AADSTS700016"),
                "azure-client-id",
                "no such application",
            ),
            (
                vec![answer(403, &json!({ "message": request }))],
                Some("GitHub answered 403 to the request for an identity token: {\"message\":\"***"),
                "`id-token: write`",
                "GitHub refuses",
            ),
        ] {
            let script = Script::new(answers);
            let announced = Arc::new(Mutex::new(Vec::new()));
            let sink = announced.clone();
            let announce: Announce =
                Arc::new(move |token: &Token| sink.lock().unwrap().push(token.expose().to_owned()));
            let mut azure = script.azure_with(&FakeClock::new(), &[], &given, &variables, announce);
            let got = read(&mut azure);
            let shown = format!("{azure:?} {got:?}");
            assert!(!shown.contains(CANARY), "{why}: {shown}");
            match (got, want) {
                (Ok(got), None) => assert_eq!(got, [["a"]], "{why}"),
                (Err(error), Some(want)) => {
                    assert!(error.what().contains(want), "{why}: {}", error.what());
                    assert!(error.help().contains(help), "{why}: {}", error.help());
                    assert!(!error.may_pass(), "{why}");
                }
                (got, _) => panic!("{why}: {got:?}"),
            }
            let seen = script.seen();
            assert_eq!(
                seen[0].line, "GET https://i/token?v=2&audience=api%3A%2F%2FAzureADTokenExchange",
                "{why}"
            );
            assert_eq!(seen[0].token.as_deref(), Some("Bearer canary-4711-request"), "{why}");
            let known = announced.lock().unwrap().clone();
            for seen in seen.iter().filter(|seen| seen.line.contains("/oauth2/")) {
                assert!(seen.body.contains(&*assertion) && known.contains(&assertion), "{why}");
            }
            for seen in seen.iter().filter_map(|seen| seen.token.as_deref()) {
                assert!(known.iter().any(|token| seen == format!("Bearer {token}")), "{why}");
            }
            let mut once = known.clone();
            once.dedup();
            assert_eq!(once, known, "{why}: each is announced once");
        }
    }

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
    fn filters_go_by_the_name_of_the_repository() {
        for (url, want) in [
            ("https://github.com/contoso/gitops", "gitops"),
            ("https://github.com/contoso/GitOps.git/", "GitOps"),
            ("git@github.com:contoso/gitops.git", "gitops"),
            ("git@host:gitops", "gitops"),
            ("gitops", "gitops"),
        ] {
            assert_eq!(Filter::new(url).name, want, "{url}");
        }
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
