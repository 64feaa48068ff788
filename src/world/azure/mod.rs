//! Azure: what clusters report, from the index over all resources and from the resources themselves.
//!
//! Everything here only reads. The Azure libraries are async; their runtime is in here, and what is public blocks.

mod assertion;
mod client;
mod cloud;
mod configuration;
mod credential;
mod denial;
mod diagnosis;
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

pub(crate) use self::cloud::Cloud;
pub(crate) use self::credential::SignIn;
pub(crate) use self::diagnosis::{Diagnosis, Followed, Missing};
pub(crate) use self::error::{Error, Kind};
pub(crate) use self::manager::Lists;

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
        let sources = self.graph.summary(&self.client, query::SOURCES)?.rows;
        Ok(Diagnosis::new(self.client.way(), subscriptions, &clusters, &sources))
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
}
