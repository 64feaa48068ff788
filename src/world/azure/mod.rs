//! Azure: what clusters report, from the index over all resources and from the resources themselves.
//!
//! Everything here only reads. The Azure libraries are async; their runtime is in here, and what is public blocks.

mod assertion;
mod client;
mod cloud;
mod configuration;
mod credential;
mod error;
mod graph;
mod manager;
mod query;
mod secrets;
mod transport;

use std::collections::BTreeSet;
use std::env;
use std::sync::Arc;

use rollout::{CommitId, ConfigurationId, Direct, Observation, Tally, Time};
use serde_json::Value;

pub(crate) use self::cloud::Cloud;
pub(crate) use self::credential::SignIn;
pub(crate) use self::error::{Error, Kind};
pub(crate) use self::manager::Subscription;

use self::client::Client;
use self::cloud::Overrides;
use self::credential::Identity;
use self::graph::{Graph, Summary};
use self::manager::Manager;
use self::secrets::Secrets;
use self::transport::Transport;
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
    /// Nothing is asked yet, but every secret that is given is announced.
    pub(crate) fn new(
        settings: Settings,
        http: &Http,
        clock: Arc<dyn Clock>,
        announce: Announce,
    ) -> Result<Azure, Failure> {
        let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let Settings { sign_in, audience, cloud, manager_url, subscriptions } = settings;
        let place = cloud.place(Overrides {
            authority: variable("AZURE_AUTHORITY_HOST").as_deref(),
            manager: manager_url.as_deref(),
            audience: audience.as_deref(),
        })?;
        let ways = credential::ways(&sign_in, variable)?;
        let (graph, manager) =
            (Graph::new(&place.manager, subscriptions.clone()), Manager::new(&place.manager));
        let (secrets, scope) = (Arc::new(Secrets::new(announce)), place.scope);
        let transport = Arc::new(Transport(http.for_async()?));
        let identity = Arc::new(Identity::new(ways, place, transport.clone(), secrets.clone()));
        let client = Client::new(transport, identity, scope, secrets, clock)?;
        Ok(Azure { client, graph, manager, subscriptions })
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

    /// A configuration as it is now, not as the index has it.
    pub(crate) fn configuration(&mut self, id: &ConfigurationId) -> Direct {
        self.manager.configuration(&self.client, id)
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

impl Missing {
    /// The next move.
    pub(crate) fn help(self) -> String {
        let whom = match self {
            Missing::Everything => "the identity sees neither clusters nor configurations",
            Missing::Clusters => "the identity sees configurations, but not the clusters that they are on",
            Missing::Configurations => "the identity sees clusters, but no configuration on them",
        };
        format!("{whom}: {}", error::ROLE)
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
    use super::*;

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
