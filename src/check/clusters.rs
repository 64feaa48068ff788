//! The clusters that follow one repository, as Azure shows them.

use std::collections::HashSet;
use std::mem::{self, Discriminant};
use std::time::SystemTime;

use report::{Diagnosis, Followed, MissingSight};
use rollout::{CommitId, ConfigurationId, Direct, Observation, Read, Tally};

use super::subject::GitOps;
use crate::cli::{AzureArgs, AzureCloud};
use crate::exit::Failure;
use crate::world::access::Access;
use crate::world::azure::{self, Azure, Cloud, Filter, Kind, Lists, Missing, Rows, Settings, SignIn};
use crate::world::runner::{self, Runner};
use crate::world::terminal;
use crate::world::tokens::Token;

/// The clusters that follow one repository.
pub(crate) struct Clusters {
    azure: Azure,
    filter: Filter,
    /// Whether all subscriptions that were given have been seen
    is_checked: bool,
    /// What has kept configurations from being read themselves
    said: HashSet<Discriminant<Kind>>,
}

impl Clusters {
    /// Those that follow `gitops`; nothing is asked yet.
    pub(crate) fn new(
        arguments: &AzureArgs,
        gitops: &GitOps,
        access: &Access,
        runner: &Runner,
    ) -> Result<Clusters, Failure> {
        let (clock, announce) = (access.clock.clone(), runner.announcer());
        let azure = Azure::new(settings(arguments), runner::variable, &access.http, clock, announce)?;
        Ok(Clusters::seen_by(azure, gitops))
    }

    /// Those that follow `gitops` and that an identity sees.
    pub(super) fn seen_by(azure: Azure, gitops: &GitOps) -> Clusters {
        Clusters { azure, filter: Filter::new(&gitops.url), is_checked: false, said: HashSet::new() }
    }

    /// After that time nothing is read, however much is missing.
    pub(crate) fn end_at(&mut self, time: Option<SystemTime>) {
        self.azure.end_at(time);
    }

    /// How many configurations are in which state.
    pub(crate) fn tally(&mut self, mentioning: &[CommitId]) -> Result<Tally, Failure> {
        self.check_subscriptions()?;
        Ok(self.azure.tally(&self.filter, mentioning)?)
    }

    /// What configurations show, page by page.
    pub(crate) fn rows(&mut self, read: &Read, page: impl FnMut(Vec<Observation>)) -> Result<(), Failure> {
        self.check_subscriptions()?;
        let rows = match read {
            Read::Arrived { commits, since } => Rows::Arrived { commits, since: *since },
            Read::All | Read::Poll { .. } | Read::Direct(_) => Rows::All,
        };
        Ok(self.azure.rows(&self.filter, rows, page)?)
    }

    /// A configuration as it is now; a failure if none can be read now.
    ///
    /// Of each kind of reason why one cannot be read the first is said. What had to be listed is in `lists`.
    pub(crate) fn configuration(
        &mut self,
        id: &ConfigurationId,
        lists: &mut Lists,
    ) -> Result<Direct, Failure> {
        let error = match self.azure.configuration(id, lists) {
            Ok(direct) => return Ok(direct),
            Err(error) if error.is_of_everything() => return Err(error.into()),
            Err(error) => error,
        };
        if self.said.insert(mem::discriminant(error.kind())) {
            let text = format!("warning: {}; it is tried again\n", report::log_line(&error.what()));
            terminal::complain(&text);
        }
        Ok(Direct::Unreadable)
    }

    /// Makes sure, once, that every subscription that was given can be seen.
    fn check_subscriptions(&mut self) -> Result<(), Failure> {
        if !self.is_checked {
            self.azure.check_subscriptions()?;
            self.is_checked = true;
        }
        Ok(())
    }

    /// What can be seen at all, if that can be found out.
    pub(crate) fn diagnosis(&mut self) -> Option<Diagnosis> {
        let azure::Diagnosis { way, subscriptions, clusters, followed, missing } =
            self.azure.diagnosis().ok()?;
        let one = |followed: azure::Followed| Followed {
            url: followed.url,
            branch: followed.branch,
            configurations: count(followed.configurations),
        };
        Some(Diagnosis {
            way: way.to_owned(),
            subscriptions: subscriptions.into_iter().map(|subscription| subscription.id).collect(),
            clusters: count(clusters),
            followed: followed.into_iter().map(one).collect(),
            missing: missing.map(|missing| match missing {
                Missing::Everything => MissingSight::Everything,
                Missing::Clusters => MissingSight::Clusters,
                Missing::Configurations => MissingSight::Configurations,
            }),
        })
    }
}

pub(super) fn settings(arguments: &AzureArgs) -> Settings {
    let AzureArgs {
        azure_tenant_id,
        azure_client_id,
        azure_audience,
        azure_credentials,
        azure_subscriptions,
        azure_cloud,
        azure_resource_manager_url,
    } = arguments;
    Settings {
        sign_in: SignIn {
            tenant_id: azure_tenant_id.clone(),
            client_id: azure_client_id.clone(),
            credentials: azure_credentials.as_ref().map(|json| Token::secret(json.expose())),
        },
        audience: azure_audience.clone(),
        cloud: match azure_cloud {
            AzureCloud::Public => Cloud::Public,
            AzureCloud::Usgovernment => Cloud::UsGovernment,
            AzureCloud::China => Cloud::China,
        },
        manager_url: azure_resource_manager_url.clone(),
        subscriptions: azure_subscriptions.as_ref().map(|list| list.0.clone()).unwrap_or_default(),
    }
}

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
