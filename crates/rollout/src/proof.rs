//! What proves that a configuration is done.

use crate::commit::CommitId;
use crate::observation::{Compliance, ObjectStatus, Observation, Provisioning, Ready, Waits};

/// What a report proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The commit is applied
    Proven(Health),
    /// It is not shown to be
    Unproven(Missing),
}

/// Whether what was applied is known to be healthy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It is
    Checked,
    /// A kustomization does not wait for it
    Unchecked,
}

/// The first thing that a report does not show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The source has fetched another commit, or none
    Synced(Option<CommitId>),
    /// There is no kustomization that could apply anything
    Kustomizations,
    /// There is no status of this kustomization
    Status(String),
    /// This kustomization is not ready
    Ready(String),
    /// This kustomization shows another commit as applied, or none
    Applied(String, Option<CommitId>),
    /// Not everything is as it should be
    Compliant(Compliance),
    /// The configuration is not set up
    Provisioned(Provisioning),
}

/// What `observation` proves about the commits that `is_accepted` names: the one that is checked and those that count
/// for it.
pub fn prove(observation: &Observation, is_accepted: impl Fn(&CommitId) -> bool) -> Proof {
    match show(observation, is_accepted) {
        Ok(()) => Proof::Proven(health(observation)),
        Err(missing) => Proof::Unproven(missing),
    }
}

/// What Flux says of the kustomization of this key.
pub(crate) fn statuses<'a>(
    observation: &'a Observation,
    key: &str,
) -> impl Iterator<Item = &'a ObjectStatus> {
    let name = format!("{}-{key}", observation.name);
    observation.objects.iter().filter(move |object| {
        object.kind == "Kustomization" && object.name == name && object.namespace == observation.namespace
    })
}

fn show(observation: &Observation, is_accepted: impl Fn(&CommitId) -> bool) -> Result<(), Missing> {
    if !observation.synced.as_ref().is_some_and(&is_accepted) {
        return Err(Missing::Synced(observation.synced.clone()));
    }
    if observation.kustomizations.is_empty() {
        return Err(Missing::Kustomizations);
    }
    for key in observation.kustomizations.keys() {
        if statuses(observation, key).next().is_none() {
            return Err(Missing::Status(key.clone()));
        }
        for status in statuses(observation, key) {
            if status.ready != Some(Ready::True) {
                return Err(Missing::Ready(key.clone()));
            }
            if !status.applied.as_ref().is_some_and(&is_accepted) {
                return Err(Missing::Applied(key.clone(), status.applied.clone()));
            }
        }
    }
    if observation.compliance != Compliance::Compliant {
        return Err(Missing::Compliant(observation.compliance.clone()));
    }
    if observation.provisioning != Provisioning::Succeeded {
        return Err(Missing::Provisioned(observation.provisioning.clone()));
    }
    Ok(())
}

fn health(observation: &Observation) -> Health {
    let waits =
        observation.kustomizations.values().all(|kustomization| kustomization.waits == Waits::ForHealth);
    if waits { Health::Checked } else { Health::Unchecked }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;
    use crate::observation::{
        Channel, Cluster, ConfigurationId, Connectivity, Kustomization, Reference, Source,
    };

    fn commit(digit: char) -> CommitId {
        CommitId::new(&digit.to_string().repeat(40)).unwrap()
    }

    fn kustomization(waits: Waits) -> Kustomization {
        let minute = Duration::from_secs(60);
        Kustomization {
            path: "drone".to_owned(),
            waits,
            sync_interval: minute,
            retry_interval: None,
            timeout: minute,
        }
    }

    fn status(key: &str) -> ObjectStatus {
        ObjectStatus {
            kind: "Kustomization".to_owned(),
            name: format!("cluster-config-{key}"),
            namespace: "flux".to_owned(),
            ready: Some(Ready::True),
            reason: String::new(),
            message: String::new(),
            applied: Some(commit('1')),
        }
    }

    /// Everything is done at commit `1`.
    fn done() -> Observation {
        Observation {
            id: ConfigurationId::new("id"),
            name: "cluster-config".to_owned(),
            namespace: "flux".to_owned(),
            cluster: Cluster {
                id: String::new(),
                name: String::new(),
                connectivity: Connectivity::Connected,
            },
            source: Source {
                kind: "GitRepository".to_owned(),
                url: String::new(),
                reference: Reference::default(),
                sync_interval: Duration::ZERO,
            },
            kustomizations: BTreeMap::from([
                ("apps".to_owned(), kustomization(Waits::ForHealth)),
                ("infra".to_owned(), kustomization(Waits::ForHealth)),
            ]),
            is_suspended: false,
            synced: Some(commit('1')),
            compliance: Compliance::Compliant,
            provisioning: Provisioning::Succeeded,
            objects: vec![status("apps"), status("infra")],
            message: None,
            reported: None,
            channel: Channel::Index,
        }
    }

    #[test]
    fn proofs() {
        type Change = fn(&mut Observation);
        let infra = || "infra".to_owned();
        let cases: [(Change, Missing, &str); 23] = [
            (|x| x.synced = None, Missing::Synced(None), "nothing is fetched"),
            (
                |x| x.synced = Some(commit('0')),
                Missing::Synced(Some(commit('0'))),
                "another commit is fetched",
            ),
            (|x| x.kustomizations.clear(), Missing::Kustomizations, "nothing would be applied"),
            (|x| x.objects.clear(), Missing::Status("apps".to_owned()), "nothing is said"),
            (|x| drop(x.objects.pop()), Missing::Status(infra()), "nothing is said of one"),
            (|x| x.objects[1].kind = "HelmRelease".to_owned(), Missing::Status(infra()), "another kind"),
            (|x| x.objects[1].name = "infra".to_owned(), Missing::Status(infra()), "another name"),
            (|x| x.objects[1].namespace = "app".to_owned(), Missing::Status(infra()), "another namespace"),
            (|x| x.name = "other".to_owned(), Missing::Status("apps".to_owned()), "another configuration's"),
            (|x| x.objects[1].ready = None, Missing::Ready(infra()), "no condition"),
            (|x| x.objects[1].ready = Some(Ready::False), Missing::Ready(infra()), "not ready"),
            (|x| x.objects[1].ready = Some(Ready::Unknown), Missing::Ready(infra()), "perhaps ready"),
            (|x| x.objects[1].applied = None, Missing::Applied(infra(), None), "no revision"),
            (
                |x| x.objects[1].applied = Some(commit('0')),
                Missing::Applied(infra(), Some(commit('0'))),
                "what was before is still applied",
            ),
            (
                |x| x.objects.push(ObjectStatus { applied: None, ..status("infra") }),
                Missing::Applied(infra(), None),
                "two statuses that do not agree",
            ),
            (
                |x| x.objects.insert(0, ObjectStatus { ready: None, ..status("infra") }),
                Missing::Ready(infra()),
                "two statuses that do not agree, the other way round",
            ),
            (
                |x| x.compliance = Compliance::NonCompliant,
                Missing::Compliant(Compliance::NonCompliant),
                "something is wrong",
            ),
            (|x| x.compliance = Compliance::Pending, Missing::Compliant(Compliance::Pending), "at work"),
            (|x| x.compliance = Compliance::Suspended, Missing::Compliant(Compliance::Suspended), "idle"),
            (|x| x.compliance = Compliance::Unknown, Missing::Compliant(Compliance::Unknown), "unknown"),
            (
                |x| x.provisioning = Provisioning::Updating,
                Missing::Provisioned(Provisioning::Updating),
                "it is being changed",
            ),
            (
                |x| x.provisioning = Provisioning::Other("Moving".to_owned()),
                Missing::Provisioned(Provisioning::Other("Moving".to_owned())),
                "a state of tomorrow",
            ),
            (
                |x| {
                    x.synced = Some(commit('0'));
                    x.compliance = Compliance::Pending;
                },
                Missing::Synced(Some(commit('0'))),
                "the first thing that is missing",
            ),
        ];
        let is_accepted = |commit_: &CommitId| *commit_ == commit('1') || *commit_ == commit('2');
        for (change, missing, why) in cases {
            let mut observation = done();
            change(&mut observation);
            assert_eq!(prove(&observation, is_accepted), Proof::Unproven(missing), "{why}");
        }

        let checked = Proof::Proven(Health::Checked);
        let cases: [(Change, Proof, &str); 5] = [
            (|_| {}, checked.clone(), "everything is shown"),
            (|x| x.objects[1].applied = Some(commit('2')), checked.clone(), "another one that counts"),
            (|x| x.synced = Some(commit('2')), checked.clone(), "fetched, not applied yet, and the same"),
            (
                |x| x.objects.push(ObjectStatus { ready: None, applied: None, ..status("nested") }),
                checked,
                "what is nested is for the kustomizations to wait for",
            ),
            (
                |x| drop(x.kustomizations.insert("infra".to_owned(), kustomization(Waits::No))),
                Proof::Proven(Health::Unchecked),
                "one does not wait",
            ),
        ];
        for (change, want, why) in cases {
            let mut observation = done();
            change(&mut observation);
            assert_eq!(prove(&observation, is_accepted), want, "{why}");
        }
    }
}
