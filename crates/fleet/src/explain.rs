//! Why a deployment target is on a cluster type or not, and how its config came about.

mod judgement;

use std::collections::BTreeSet;
use std::sync::Arc;

use goyaml::Value;

use crate::applies::Condition;
use crate::compose::{ConfigValue, Layer, LayerValue};
use crate::compute::Outcome;
use crate::diagnostic::{Diagnostic, Location, did_you_mean, some_of};
use crate::objects::{ClusterType, SchedulingPolicy};
use crate::schedule::{Assignment, DeploymentTarget};

use judgement::nearest_policy;
pub use judgement::{Asked, Judgement, Subject, Term};

/// This many cluster types are the nearest ones.
const NEAREST: usize = 3;

/// What somebody wants to know.
#[derive(Clone, Copy, Debug)]
pub struct Question<'q> {
    /// Name of a deployment target
    pub target: &'q str,
    /// Name of a cluster type; without one, all of them are meant
    pub cluster_type: Option<&'q str>,
    /// A key of the config; without one, all of them are meant
    pub key: Option<&'q str>,
}

/// The answer to a question.
#[derive(Debug)]
pub struct Explanation<'a> {
    /// The environment
    pub environment: &'a str,
    /// The deployment target
    pub target: &'a DeploymentTarget,
    /// What there is to say about it
    pub answer: Answer<'a>,
}

/// What can be said about a deployment target.
#[derive(Debug)]
pub enum Answer<'a> {
    /// On all cluster types
    Overview(Overview<'a>),
    /// On a cluster type that it is scheduled on
    Scheduled(Scheduled<'a>),
    /// On a cluster type that it is not scheduled on
    NotScheduled(NotScheduled<'a>),
}

/// Where a deployment target is and where it is not.
#[derive(Debug)]
pub struct Overview<'a> {
    /// How many cluster types there are
    pub cluster_types: usize,
    /// The cluster types that it is on, by name, each with the policies that say so
    pub on: Vec<(&'a ClusterType, Vec<&'a SchedulingPolicy>)>,
    /// Every policy's terms for deployment targets; those that fail least come first
    pub policies: Vec<Judgement<'a>>,
    /// The cluster types that lack least, nearest first, each with the policy that is nearest to it
    pub nearest: Vec<(&'a ClusterType, Judgement<'a>)>,
}

/// Why a deployment target is on a cluster type, and with which config.
#[derive(Debug)]
pub struct Scheduled<'a> {
    /// The cluster type
    pub cluster_type: &'a ClusterType,
    /// The policies that put it there
    pub policies: Vec<Judgement<'a>>,
    /// Why it has no manifests, if it has none
    pub problems: &'a [Arc<Diagnostic>],
    /// The values asked for, by key
    pub values: Vec<ValueHistory<'a>>,
    /// ConfigMaps that have the key asked for, but do not apply here
    pub elsewhere: Vec<Elsewhere<'a>>,
}

/// Why a deployment target is not on a cluster type.
#[derive(Debug)]
pub struct NotScheduled<'a> {
    /// The cluster type
    pub cluster_type: &'a ClusterType,
    /// Every policy; those that fail least come first
    pub policies: Vec<Judgement<'a>>,
    /// The cluster types that it is on, by name
    pub on: Vec<&'a ClusterType>,
}

/// A config value and everything that went into it.
#[derive(Debug)]
pub struct ValueHistory<'a> {
    /// Its key
    pub key: &'a str,
    /// What it came to
    pub value: &'a Value,
    /// What each layer said, in the order in which they apply
    pub layers: Vec<LayerPart<'a>>,
}

/// What one layer said about a config value.
#[derive(Debug)]
pub struct LayerPart<'a> {
    /// The layer
    pub layer: &'a Layer,
    /// Its own value, and where that is written
    pub written: &'a LayerValue,
    /// What became of it
    pub fate: Fate,
}

/// What became of a layer's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A later layer replaced it
    Lost,
    /// Later layers were merged into it
    Merged,
    /// No later layer has the key
    Won,
}

/// A layer that has a key, but does not apply.
#[derive(Debug)]
pub struct Elsewhere<'a> {
    /// The layer
    pub layer: &'a Layer,
    /// Its own value, and where that is written
    pub written: &'a LayerValue,
    /// The first of its conditions that is not met
    pub unmet: &'a Condition,
}

impl Outcome {
    /// Answers a question; a name that does not exist is an error that says which ones do.
    ///
    /// Nothing is indexed for it: targets, cluster types and assignments are sorted.
    pub fn explain(&self, question: &Question<'_>) -> Result<Explanation<'_>, Diagnostic> {
        let target = self.target_index(question.target)?;
        let answer = match question.cluster_type {
            None => Answer::Overview(self.overview(target)),
            Some(name) => {
                let kind = self.cluster_type_index(name)?;
                match self.assignment_index(kind, target) {
                    Some(index) => Answer::Scheduled(self.scheduled(index, question.key)?),
                    None => Answer::NotScheduled(self.not_scheduled(kind, target)),
                }
            }
        };
        Ok(Explanation { environment: &self.plane.environment, target: self.target(target), answer })
    }

    fn target(&self, index: u32) -> &DeploymentTarget {
        &self.schedule.targets[index as usize]
    }

    fn cluster_type(&self, index: u32) -> &ClusterType {
        &self.schedule.cluster_types[index as usize]
    }

    fn assignment_index(&self, kind: u32, target: u32) -> Option<usize> {
        let place = |it: &Assignment| (it.cluster_type, it.target);
        self.schedule.assignments.binary_search_by_key(&(kind, target), place).ok()
    }

    fn target_index(&self, name: &str) -> Result<u32, Diagnostic> {
        let targets = &self.schedule.targets;
        if let Ok(index) = targets.binary_search_by(|target| (*target.name).cmp(name)) {
            return Ok(index as u32);
        }
        let environment = &self.plane.environment;
        if let Some((other, location)) = self.of_other_environment(name) {
            let text = format!("the deployment target `{name}` is for `{other}`, not for `{environment}`");
            return Err(Diagnostic::error(text)
                .help(format!("ask with `--environment {other}`"))
                .at(location.clone()));
        }
        let mut help = known(name, "deployment targets", targets.iter().map(|target| &*target.name));
        let unavailable: BTreeSet<&str> = self
            .plane
            .unavailable
            .iter()
            .chain(&self.schedule.colliding)
            .filter_map(|it| it.workload.as_deref().or(it.registration.as_deref()))
            .collect();
        if !unavailable.is_empty() {
            help += &format!(
                "; these applications cannot be used, `kalypso validate` says why: {}",
                some_of(unavailable)
            );
        }
        Err(Diagnostic::error(format!("`{environment}` has no deployment target `{name}`")).help(help))
    }

    /// The environment of a target that a Workload declares, and where it says so.
    fn of_other_environment(&self, name: &str) -> Option<(&str, &Location)> {
        let workloads = self.plane.workloads.values().map(|registered| &registered.workload);
        let mut targets = workloads.filter_map(|workload| {
            let own = name.strip_prefix(&*workload.meta.name)?.strip_prefix('-')?;
            workload.targets.iter().find(|target| target.name == own)
        });
        let target = targets.find(|target| target.environment != self.plane.environment)?;
        Some((&target.environment, &target.location))
    }

    fn cluster_type_index(&self, name: &str) -> Result<u32, Diagnostic> {
        let kinds = &self.schedule.cluster_types;
        let found = kinds.binary_search_by(|kind| (*kind.meta.name).cmp(name));
        found.map(|index| index as u32).map_err(|_| {
            let help = known(name, "cluster types", kinds.iter().map(|kind| &*kind.meta.name));
            let text = format!("`{}` has no cluster type `{name}`", self.plane.environment);
            Diagnostic::error(text).help(help)
        })
    }

    fn overview(&self, index: u32) -> Overview<'_> {
        let target = self.target(index);
        let mut policies: Vec<Judgement<'_>> =
            self.plane.policies.iter().map(|policy| Judgement::new(policy, Some(target), None)).collect();
        policies.sort_by_cached_key(Judgement::failing_count);
        let mut on = Vec::new();
        let mut near = Vec::new();
        for (kind, kind_index) in self.schedule.cluster_types.iter().zip(0..) {
            match self.assignment_index(kind_index, index) {
                Some(assignment) => on.push((kind, self.policies_of(assignment))),
                None => {
                    near.extend(nearest_policy(&policies, kind).map(|(count, policy)| (count, kind, policy)))
                }
            }
        }
        // Stable: what lacks equally much stays in the order of names.
        near.sort_by_key(|(count, _, _)| *count);
        near.truncate(NEAREST);
        let judged = |(_, kind, policy)| (kind, Judgement::new(policy, Some(target), Some(kind)));
        let nearest = near.into_iter().map(judged).collect();
        Overview { cluster_types: self.schedule.cluster_types.len(), on, policies, nearest }
    }

    fn policies_of(&self, assignment: usize) -> Vec<&SchedulingPolicy> {
        let policies = &self.schedule.assignments[assignment].policies;
        policies.iter().map(|index| &self.plane.policies[*index as usize]).collect()
    }

    fn scheduled(&self, index: usize, key: Option<&str>) -> Result<Scheduled<'_>, Diagnostic> {
        let assignment = &self.schedule.assignments[index];
        let (target, kind) = (self.target(assignment.target), self.cluster_type(assignment.cluster_type));
        let policies = self.policies_of(index).into_iter();
        let config = &self.configs[index].values;
        let of_key = |(name, _): &(&String, &ConfigValue)| key.is_none_or(|key| key == *name);
        let values: Vec<ValueHistory<'_>> =
            config.iter().filter(of_key).map(|(key, value)| self.history(key, value)).collect();
        let elsewhere: Vec<Elsewhere<'_>> =
            key.map(|key| self.elsewhere(key, target, kind)).unwrap_or_default();
        if let Some(key) = key.filter(|_| values.is_empty() && elsewhere.is_empty()) {
            let here = config.keys().map(String::as_str);
            let text = format!("no ConfigMap has the key `{key}`");
            return Err(Diagnostic::error(text).help(known(key, "keys", here)));
        }
        Ok(Scheduled {
            cluster_type: kind,
            policies: policies.map(|policy| Judgement::new(policy, Some(target), Some(kind))).collect(),
            problems: self.packages[index].as_ref().err().map_or(&[], |problems| problems),
            values,
            elsewhere,
        })
    }

    fn history<'a>(&'a self, key: &'a str, value: &'a ConfigValue) -> ValueHistory<'a> {
        let layers = value.layers.iter().map(|index| &self.layers[*index as usize]);
        let parts: Vec<(&Layer, &LayerValue)> =
            layers.filter_map(|layer| Some((layer, layer.values.get(key)?))).collect();
        let fates = fates(&parts.iter().map(|(_, written)| &written.value).collect::<Vec<_>>());
        let part = |((layer, written), fate)| LayerPart { layer, written, fate };
        ValueHistory { key, value: &value.value, layers: parts.into_iter().zip(fates).map(part).collect() }
    }

    fn elsewhere(&self, key: &str, target: &DeploymentTarget, kind: &ClusterType) -> Vec<Elsewhere<'_>> {
        let is_unmet = |it: &&Condition| !it.is_met_by_cluster_type(kind) && !it.is_met_by_target(target);
        let elsewhere = self.layers.iter().filter_map(|layer| {
            let written = layer.values.get(key)?;
            Some(Elsewhere { layer, written, unmet: layer.conditions.iter().find(is_unmet)? })
        });
        elsewhere.collect()
    }

    fn not_scheduled(&self, kind: u32, target: u32) -> NotScheduled<'_> {
        let kinds = self.schedule.cluster_types.iter().zip(0..);
        let on = kinds.filter(|(_, index)| self.assignment_index(*index, target).is_some());
        let (kind, target_object) = (self.cluster_type(kind), self.target(target));
        let judge = |policy| Judgement::new(policy, Some(target_object), Some(kind));
        let mut policies: Vec<Judgement<'_>> = self.plane.policies.iter().map(judge).collect();
        policies.sort_by_cached_key(Judgement::failing_count);
        NotScheduled { cluster_type: kind, policies, on: on.map(|(kind, _)| kind).collect() }
    }
}

/// What became of each of these values of one key, which apply in this order.
///
/// Only two maps or two lists merge; anything else replaces what was there.
fn fates(values: &[&Value]) -> Vec<Fate> {
    let merges = |pair: &[&Value]| {
        matches!((pair[0], pair[1]), (Value::Map(_), Value::Map(_)) | (Value::Seq(_), Value::Seq(_)))
    };
    let replaced = values.windows(2).rposition(|pair| !merges(pair)).map_or(0, |index| index + 1);
    let fate = |index| match index {
        index if index < replaced => Fate::Lost,
        index if index + 1 == values.len() => Fate::Won,
        _ => Fate::Merged,
    };
    (0..values.len()).map(fate).collect()
}

/// The name that was probably meant, and which ones there are.
fn known<'a>(name: &str, things: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    if names.clone().next().is_none() {
        return format!("there are no {things}");
    }
    // A part of a name is as common as a slip of the keyboard: targets are long.
    let containing = || {
        let found = names.clone().find(|known| !name.is_empty() && known.contains(name))?;
        Some(format!("did you mean `{found}`?"))
    };
    let guess = did_you_mean(name, names.clone()).or_else(containing);
    let list = format!("{things}: {}", some_of(names));
    guess.map_or(list.clone(), |guess| format!("{guess} {list}"))
}

/// A config value as JSON; keys that are no text are printed.
pub fn json(value: &Value) -> serde_json::Value {
    crate::validate::json(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::ManifestChecks;
    use crate::compute::compute;
    use crate::snapshot::Snapshot;
    use crate::source::{FileContent, Source};

    const PLANE: &str = "
apiVersion: scheduler.kalypso.io/v1alpha1
kind: WorkloadRegistration
metadata: {name: shop}
spec: {workspace: sales, workload: {repo: https://example.com/shop, branch: main, path: .}}
---
apiVersion: scheduler.kalypso.io/v1alpha1
kind: Workload
metadata: {name: shop, labels: {tier: front}}
spec:
  deploymentTargets:
  - {name: web, environment: dev, labels: {purpose: test}, manifests: {repo: r}}
  - {name: jobs, environment: dev, labels: {purpose: batch}, manifests: {repo: r}}
  - {name: final, environment: prod, manifests: {repo: r}}
---
apiVersion: scheduler.kalypso.io/v1alpha1
kind: ClusterType
metadata: {name: big, labels: {region: west, size: big}}
spec: {reconciler: none, namespaceService: default}
---
apiVersion: scheduler.kalypso.io/v1alpha1
kind: ClusterType
metadata: {name: edge, labels: {region: east, size: small, restricted: 'yes'}}
spec: {reconciler: none, namespaceService: default}
---
apiVersion: scheduler.kalypso.io/v1alpha1
kind: ClusterType
metadata: {name: lab, labels: {region: west}}
spec: {reconciler: none, namespaceService: default}
---
apiVersion: scheduler.kalypso.io/v1alpha1
kind: SchedulingPolicy
metadata: {name: big-tests}
spec:
  deploymentTargetSelector:
    workspace: sales
    labelSelector: {matchLabels: {purpose: test}}
  clusterTypeSelector:
    labelSelector:
      matchLabels: {size: big}
      matchExpressions:
      - {key: region, operator: In, values: [west, north]}
      - {key: restricted, operator: DoesNotExist}
---
apiVersion: scheduler.kalypso.io/v1alpha1
kind: SchedulingPolicy
metadata: {name: fronts}
spec:
  deploymentTargetSelector:
    labelSelector: {matchLabels: {tier: front, purpose: test}}
  clusterTypeSelector: {labelSelector: {matchLabels: {size: big}}}
---
apiVersion: scheduler.kalypso.io/v1alpha1
kind: SchedulingPolicy
metadata: {name: others}
spec:
  deploymentTargetSelector: {workspace: support}
  clusterTypeSelector: {}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: a-all, labels: {platform-config: 'true'}}
data: {LEVEL: info, LIST: '[1]'}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: b-big, labels: {platform-config: 'true', cluster-type: big}}
data: {LEVEL: debug, LIST: '[2]'}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c-east, labels: {platform-config: 'true', size: big, region: east}}
data: {LEVEL: error, ONLY_EAST: x}
";

    fn outcome() -> Outcome {
        let bytes = FileContent::Bytes(PLANE.as_bytes().into());
        let source = Source { files: [("plane.yaml".to_owned(), bytes)].into(), ..Source::default() };
        let mut snapshot = Snapshot::new(&source);
        for want in snapshot.wants() {
            snapshot.add(&want, Ok(Source::default()));
        }
        compute(snapshot.control_plane("dev"), ManifestChecks::Off)
    }

    fn terms<'t>(terms: impl Iterator<Item = &'t Term<'t>>) -> String {
        let said = terms.map(|term| {
            format!("{}@{}:{}", term.asked, term.location.line, term.location.column)
                + term.found.map(|found| format!(" is {found}")).as_deref().unwrap_or(" is absent")
        });
        said.collect::<Vec<_>>().join(", ")
    }

    /// What an answer says, in one line for each thing.
    fn summary(answer: &Answer<'_>) -> Vec<String> {
        let name = |kind: &ClusterType| kind.meta.name.clone();
        let judged = |judgement: &Judgement<'_>| {
            format!(
                "{} fails {}: {}",
                judgement.policy.meta.name,
                judgement.failing_count(),
                terms(judgement.failing())
            )
        };
        match answer {
            Answer::Overview(it) => {
                let on = it.on.iter().map(|(kind, policies)| {
                    let policies: Vec<&str> = policies.iter().map(|policy| &*policy.meta.name).collect();
                    format!("on {} of {}: {}", name(kind), it.cluster_types, policies.join(" "))
                });
                let near = it.nearest.iter().map(|(kind, it)| format!("near {}: {}", name(kind), judged(it)));
                on.chain(it.policies.iter().map(judged)).chain(near).collect()
            }
            Answer::Scheduled(it) => {
                let policies = it.policies.iter().map(|judgement| {
                    format!(
                        "{} on {}: {}",
                        judgement.policy.meta.name,
                        name(it.cluster_type),
                        terms(judgement.terms.iter())
                    )
                });
                let values = it.values.iter().map(|value| {
                    let parts = value.layers.iter().map(|part| {
                        let place = &part.written.location;
                        format!("{:?} {}@{}:{}", part.fate, part.layer.config_map, place.line, place.column)
                    });
                    format!("{} = {}: {}", value.key, json(value.value), parts.collect::<Vec<_>>().join(", "))
                });
                let elsewhere = it
                    .elsewhere
                    .iter()
                    .map(|it| format!("not {}: {}={}", it.layer.config_map, it.unmet.key, it.unmet.value));
                policies.chain(values).chain(elsewhere).collect()
            }
            Answer::NotScheduled(it) => {
                let on: Vec<String> = it.on.iter().map(|kind| name(kind)).collect();
                let policies = it.policies.iter().map(judged);
                policies
                    .chain([format!("not on {}, but on {}", name(it.cluster_type), on.join(" "))])
                    .collect()
            }
        }
    }

    fn question(words: &str) -> Question<'_> {
        let mut words = words.split(' ');
        Question { target: words.next().unwrap(), cluster_type: words.next(), key: words.next() }
    }

    #[test]
    fn answers() {
        let outcome = outcome();
        assert_eq!(outcome.plane.problems, [], "the plane has no mistake");
        let cases: [(&str, &[&str], &str); 5] = [
            (
                "shop-web",
                &[
                    "on big of 3: big-tests fronts",
                    "big-tests fails 0: ",
                    "fronts fails 0: ",
                    "others fails 1: workspace=support@55:18 is sales",
                    "near edge: fronts fails 1: size=big@51:55 is small",
                    "near lab: big-tests fails 1: size=big@40:21 is absent",
                ],
                "where it is, what passes it by, what comes near",
            ),
            (
                "shop-jobs",
                &[
                    "big-tests fails 1: purpose=test@37:35 is batch",
                    "fronts fails 1: purpose=test@50:48 is batch",
                    "others fails 1: workspace=support@55:18 is sales",
                    "near big: big-tests fails 1: purpose=test@37:35 is batch",
                    "near edge: others fails 1: workspace=support@55:18 is sales",
                    "near lab: others fails 1: workspace=support@55:18 is sales",
                ],
                "nowhere",
            ),
            (
                "shop-web big",
                &[
                    "big-tests on big: workspace=sales@33:18 is sales, purpose=test@37:35 is test, size=big@40:21 is big, region in (west,north)@42:15 is west, !restricted@43:15 is absent",
                    "fronts on big: purpose=test@50:48 is test, tier=front@50:35 is front, size=big@51:55 is big",
                    "LEVEL = \"debug\": Lost a-all@63:8, Won b-big@68:8",
                    "LIST = [1,2]: Merged a-all@63:21, Won b-big@68:22",
                ],
                "both policies, all terms, all values",
            ),
            (
                "shop-web big LEVEL",
                &[
                    "big-tests on big: workspace=sales@33:18 is sales, purpose=test@37:35 is test, size=big@40:21 is big, region in (west,north)@42:15 is west, !restricted@43:15 is absent",
                    "fronts on big: purpose=test@50:48 is test, tier=front@50:35 is front, size=big@51:55 is big",
                    "LEVEL = \"debug\": Lost a-all@63:8, Won b-big@68:8",
                    "not c-east: region=east",
                ],
                "one value, and who would have had one",
            ),
            (
                "shop-web edge",
                &[
                    "fronts fails 1: size=big@51:55 is small",
                    "others fails 1: workspace=support@55:18 is sales",
                    "big-tests fails 3: size=big@40:21 is small, region in (west,north)@42:15 is east, !restricted@43:15 is yes",
                    "not on edge, but on big",
                ],
                "not there",
            ),
        ];
        for (words, want, why) in cases {
            let explanation = outcome.explain(&question(words)).unwrap();
            assert_eq!(summary(&explanation.answer), want, "{words}: {why}");
        }
    }

    #[test]
    fn unknown_names() {
        let outcome = outcome();
        let cases = [
            (
                "shop-wep",
                "`dev` has no deployment target `shop-wep`",
                "did you mean `shop-web`? deployment targets: shop-jobs, shop-web",
                "a slip",
            ),
            (
                "job",
                "`dev` has no deployment target `job`",
                "did you mean `shop-jobs`? deployment targets: shop-jobs, shop-web",
                "a part of the name",
            ),
            (
                "unlike-all",
                "`dev` has no deployment target `unlike-all`",
                "deployment targets: shop-jobs, shop-web",
                "nothing like it",
            ),
            (
                "shop-final",
                "the deployment target `shop-final` is for `prod`, not for `dev`",
                "ask with `--environment prod`",
                "of another environment",
            ),
            (
                "shop-web bigg",
                "`dev` has no cluster type `bigg`",
                "did you mean `big`? cluster types: big, edge, lab",
                "a cluster type",
            ),
            (
                "shop-web big LEVLE",
                "no ConfigMap has the key `LEVLE`",
                "did you mean `LEVEL`? keys: LEVEL, LIST",
                "a key",
            ),
        ];
        for (words, message, help, why) in cases {
            let error = outcome.explain(&question(words)).unwrap_err();
            assert_eq!((&*error.message, error.help.as_deref()), (message, Some(help)), "{words}: {why}");
        }
    }

    #[test]
    fn the_nearest_policy_fails_least_of_all() {
        let outcome = outcome();
        for target in &outcome.schedule.targets {
            let judge = |kind| move |policy| Judgement::new(policy, Some(target), kind);
            let mut sorted: Vec<Judgement<'_>> = outcome.plane.policies.iter().map(judge(None)).collect();
            sorted.sort_by_cached_key(Judgement::failing_count);
            for kind in &outcome.schedule.cluster_types {
                let all = outcome.plane.policies.iter().map(judge(Some(kind)));
                let least = all.map(|judgement| judgement.failing_count()).min();
                let nearest = nearest_policy(&sorted, kind).map(|(count, _)| count);
                assert_eq!(nearest, least, "{} on {}", target.name, kind.meta.name);
            }
        }
    }

    #[test]
    fn what_becomes_of_values() {
        use Fate::{Lost, Merged, Won};
        let cases: [(&[&str], &[Fate], &str); 6] = [
            (&["a"], &[Won], "alone"),
            (&["a", "b", "c"], &[Lost, Lost, Won], "text replaces text"),
            (&["{a: 1}", "{b: 1}"], &[Merged, Won], "maps merge"),
            (&["[1]", "[2]", "[3]"], &[Merged, Merged, Won], "lists merge"),
            (
                &["{a: 1}", "text", "{b: 1}", "{c: 1}"],
                &[Lost, Lost, Merged, Won],
                "what text replaced is gone",
            ),
            (&["{a: 1}", "[1]"], &[Lost, Won], "a list replaces a map"),
        ];
        for (texts, want, why) in cases {
            let values: Vec<Value> = texts.iter().map(|text| goyaml::read(text).unwrap()).collect();
            assert_eq!(fates(&values.iter().collect::<Vec<_>>()), want, "{why}");
        }
        assert_eq!(fates(&[]), [], "nothing");
    }
}
