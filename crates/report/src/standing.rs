//! What is said of one configuration; plain text, still to be quoted.

use std::time::Duration;

use rollout::{
    CommitId, Compliance, Connectivity, Health, Missing, NotCounted, ObjectStatus, Observation, Provisioning,
    Ready, Standing, State, Time, WhyIgnored, WhyWaiting,
};

use crate::terminal::counted;

/// In one word.
pub(crate) fn word(state: &State) -> &'static str {
    match state {
        State::Done { .. } => "done",
        State::Waiting(_) => "waiting",
        State::Failing { .. } => "failing",
        State::Ignored(_) => "ignored",
        State::NotCounted(_) => "not counted",
    }
}

/// Why it stands so; the same as long as nothing changes.
pub(crate) fn reason(Standing { observation, state, .. }: &Standing<'_>) -> String {
    match state {
        State::Done { health: Health::Checked, .. } => "applied".to_owned(),
        State::Done { health: Health::Unchecked, .. } => "applied, health unchecked".to_owned(),
        State::Waiting(why) => match why {
            WhyWaiting::Unproven(missing) => unproven(missing),
            WhyWaiting::SecondReport => {
                "applied, health unchecked: a second report must show it again".to_owned()
            }
            WhyWaiting::Suspended => "suspended".to_owned(),
            WhyWaiting::Disconnected => disconnected(observation),
            WhyWaiting::Unreadable => "it cannot be read now".to_owned(),
        },
        State::Failing { .. } => trouble(observation),
        State::Ignored(WhyIgnored::Suspended) => "suspended".to_owned(),
        State::Ignored(WhyIgnored::Disconnected) => disconnected(observation),
        State::NotCounted(why) => not_counted(*why, observation),
    }
}

/// Since when and until when, if that is known.
pub(crate) fn times(Standing { observation, state, .. }: &Standing<'_>, now: Time) -> Vec<String> {
    let mut said = Vec::new();
    if let State::Failing { since, fails_at } = state {
        let verdict = match *fails_at > now {
            true => format!("fails in {}", lasted(fails_at.since(now))),
            false => "failed".to_owned(),
        };
        said.push(format!("so for {}, {verdict}", lasted(now.since(*since))));
    }
    said.push(match observation.reported {
        Some(reported) => format!("reported {} ago", lasted(now.since(reported))),
        None => "never reported".to_owned(),
    });
    if let Connectivity::Disconnected { last_contact, .. } = &observation.cluster.connectivity {
        said.push(match last_contact {
            Some(last) => format!("last contact {} ago", lasted(now.since(*last))),
            None => "last contact unknown".to_owned(),
        });
    }
    said
}

fn unproven(missing: &Missing) -> String {
    let at = |commit: &CommitId| commit.short().to_owned();
    match missing {
        Missing::Synced(Some(commit)) => format!("source at {}", at(commit)),
        Missing::Synced(None) => "source shows no commit".to_owned(),
        Missing::Kustomizations => "it has no kustomization".to_owned(),
        Missing::Status(key) => format!("not applied, no status of kustomization {key}"),
        Missing::Ready(key) => format!("not applied, kustomization {key} is not ready"),
        Missing::Applied(key, Some(commit)) => format!("not applied, kustomization {key} at {}", at(commit)),
        Missing::Applied(key, None) => format!("not applied, kustomization {key} shows no commit"),
        Missing::Compliant(compliance) => compliance_word(compliance).to_owned(),
        Missing::Provisioned(provisioning) => format!("provisioning {}", provisioning_word(provisioning)),
    }
}

/// What is wrong with a configuration that fails.
fn trouble(observation: &Observation) -> String {
    let Observation { provisioning, compliance, is_suspended, cluster, .. } = observation;
    // Neither of the first two fails unless the policy says so: then it is why.
    if *is_suspended || *compliance == Compliance::Suspended {
        "suspended".to_owned()
    } else if matches!(cluster.connectivity, Connectivity::Disconnected { .. }) {
        disconnected(observation)
    } else if *provisioning == Provisioning::Failed {
        format!("provisioning {}", provisioning_word(provisioning))
    } else {
        compliance_word(compliance).to_owned()
    }
}

fn disconnected(observation: &Observation) -> String {
    match &observation.cluster.connectivity {
        Connectivity::Disconnected { state, .. } => format!("cluster {state}"),
        Connectivity::Connected | Connectivity::Unknown => "cluster not connected".to_owned(),
    }
}

fn not_counted(why: NotCounted, observation: &Observation) -> String {
    let reference = &observation.source.reference;
    let pin = [("tag", &reference.tag), ("versions", &reference.semver), ("commit", &reference.commit)];
    match why {
        NotCounted::Pinned => {
            let pins: Vec<String> =
                pin.iter().filter_map(|(name, pin)| Some(format!("{name} {}", pin.as_ref()?))).collect();
            format!("pinned to {}", pins.join(", "))
        }
        NotCounted::OtherSource => format!("its source is a {}", observation.source.kind),
        NotCounted::Deleting => "it is being deleted".to_owned(),
    }
}

pub(crate) fn compliance_word(compliance: &Compliance) -> &str {
    match compliance {
        Compliance::Compliant => "Compliant",
        Compliance::NonCompliant => "Non-Compliant",
        Compliance::Pending => "Pending",
        Compliance::Suspended => "Suspended",
        Compliance::Unknown => "Unknown",
        Compliance::Other(state) => state,
    }
}

pub(crate) fn provisioning_word(provisioning: &Provisioning) -> &str {
    match provisioning {
        Provisioning::Succeeded => "Succeeded",
        Provisioning::Failed => "Failed",
        Provisioning::Canceled => "Canceled",
        Provisioning::Creating => "Creating",
        Provisioning::Updating => "Updating",
        Provisioning::Deleting => "Deleting",
        Provisioning::Other(state) => state,
    }
}

/// Each kustomization with the commit that it shows as applied.
pub(crate) fn applied(observation: &Observation) -> Vec<(&str, Option<&CommitId>)> {
    let shown = |key: &str| {
        let name = format!("{}-{key}", observation.name);
        let mut objects = observation.objects.iter();
        let object = objects.find(|object| {
            object.kind == "Kustomization" && object.name == name && object.namespace == observation.namespace
        });
        object?.applied.as_ref()
    };
    observation.kustomizations.keys().map(|key| (&**key, shown(key))).collect()
}

/// What it says itself of what is not right, the worst first.
pub(crate) fn messages(observation: &Observation) -> Vec<String> {
    let mut objects: Vec<&ObjectStatus> =
        observation.objects.iter().filter(|object| object.ready != Some(Ready::True)).collect();
    objects.sort_by_key(|object| object.ready != Some(Ready::False));
    let own = observation.message.iter().filter(|message| !message.trim().is_empty());
    own.map(|message| format!("provisioning: {message}")).chain(objects.into_iter().map(object)).collect()
}

fn object(ObjectStatus { kind, name, reason, message, .. }: &ObjectStatus) -> String {
    let parts = [reason.trim(), message.trim()];
    let said: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    match said.is_empty() {
        true => format!("{kind}/{name}: not ready"),
        false => format!("{kind}/{name}: {}", said.join(": ")),
    }
}

/// `45 s`, `12 min`, `3 h`, `2 days`.
pub(crate) fn lasted(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7_200 => format!("{} min", seconds / 60),
        seconds @ ..172_800 => format!("{} h", seconds / 3_600),
        seconds => counted(usize::try_from(seconds / 86_400).unwrap_or(usize::MAX), "day"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let cases = [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (3_600, "60 min"),
            (7_199, "119 min"),
            (7_200, "2 h"),
            (172_799, "47 h"),
            (172_800, "2 days"),
        ];
        for (seconds, want) in cases {
            assert_eq!(lasted(Duration::from_secs(seconds)), want);
        }
    }

    #[test]
    fn what_is_not_proven() {
        let commit = CommitId::new(&"ab".repeat(20)).unwrap();
        let cases = [
            (Missing::Synced(Some(commit.clone())), "source at abababa"),
            (Missing::Synced(None), "source shows no commit"),
            (Missing::Kustomizations, "it has no kustomization"),
            (Missing::Status("a".into()), "not applied, no status of kustomization a"),
            (Missing::Ready("a".into()), "not applied, kustomization a is not ready"),
            (Missing::Applied("a".into(), Some(commit)), "not applied, kustomization a at abababa"),
            (Missing::Applied("a".into(), None), "not applied, kustomization a shows no commit"),
            (Missing::Compliant(Compliance::NonCompliant), "Non-Compliant"),
            (Missing::Provisioned(Provisioning::Creating), "provisioning Creating"),
        ];
        for (missing, want) in cases {
            assert_eq!(unproven(&missing), want);
        }
    }
}
