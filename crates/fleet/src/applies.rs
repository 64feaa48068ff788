//! Which labelled objects (ConfigMaps, ConfigSchemas) apply to an assignment.
//!
//! Every condition is judged once for each cluster type and once for each deployment target; for an
//! assignment, two rows of bits are joined.

use std::collections::BTreeMap;
use std::ops::Range;

use rayon::prelude::*;

use crate::labels::Labels;
use crate::objects::{ClusterType, PLATFORM_CONFIG};
use crate::schedule::DeploymentTarget;

/// A label of a configuration object, as a condition on what it applies to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Condition {
    /// The label's key
    pub key: String,
    /// The label's value
    pub value: String,
}

/// The conditions that the labels of a configuration object make; those of the tools are none.
pub(crate) fn conditions(labels: &Labels) -> Vec<Condition> {
    labels.iter().filter_map(|(key, value)| Condition::new(key, value)).collect()
}

impl Condition {
    /// The condition of one label; `platform-config` and Flux's own labels are none.
    pub fn new(key: &str, value: &str) -> Option<Condition> {
        let is_mark = key == PLATFORM_CONFIG || key.starts_with("kustomize.toolkit.fluxcd.io/");
        (!is_mark).then(|| Condition { key: key.to_owned(), value: value.to_owned() })
    }

    /// Whether the cluster type alone meets it.
    pub fn is_met_by_cluster_type(&self, kind: &ClusterType) -> bool {
        match &*self.key {
            "cluster-type" => self.value == kind.meta.name,
            "deployment-target" | "workload" => false,
            key => is_label(&kind.meta.labels, key, &self.value),
        }
    }

    /// Whether the deployment target alone meets it.
    pub fn is_met_by_target(&self, target: &DeploymentTarget) -> bool {
        match &*self.key {
            "cluster-type" => false,
            "deployment-target" => self.value == target.name,
            "workload" => self.value == target.workload,
            key => is_label(&target.labels, key, &self.value),
        }
    }
}

/// An empty value also matches an absent label.
fn is_label(labels: &Labels, key: &str, value: &str) -> bool {
    labels.get(key).map_or("", String::as_str) == value
}

/// For a list of objects with conditions: which of them apply where.
#[derive(Debug)]
pub(crate) struct Applicability {
    /// For each object, which words of a row are its
    words: Vec<Range<usize>>,
    /// A row in which every condition is met
    full: Vec<u64>,
    cluster_types: Vec<Vec<u64>>,
    targets: Vec<Vec<u64>>,
}

impl Applicability {
    /// Judges every condition of every object on every cluster type and target.
    pub(crate) fn new(
        objects: &[&[Condition]],
        cluster_types: &[ClusterType],
        targets: &[DeploymentTarget],
    ) -> Self {
        let mut words = Vec::with_capacity(objects.len());
        // Many objects have the same condition: it is judged for all of them at once.
        let mut bits: BTreeMap<&Condition, Vec<(usize, u64)>> = BTreeMap::new();
        let mut end = 0;
        for conditions in objects {
            let start = end;
            end += conditions.len().div_ceil(64);
            words.push(start..end);
            for (position, condition) in conditions.iter().enumerate() {
                bits.entry(condition).or_default().push((start + position / 64, 1 << (position % 64)));
            }
        }
        let row = |is_met: &dyn Fn(&Condition) -> bool| {
            let mut row = vec![0_u64; end];
            for (condition, bits) in &bits {
                if is_met(condition) {
                    bits.iter().for_each(|(word, bit)| row[*word] |= bit);
                }
            }
            row
        };
        Applicability {
            full: row(&|_| true),
            cluster_types: cluster_types
                .par_iter()
                .map(|kind| row(&|it| it.is_met_by_cluster_type(kind)))
                .collect(),
            targets: targets.par_iter().map(|target| row(&|it| it.is_met_by_target(target))).collect(),
            words,
        }
    }

    /// The indexes of the objects that apply to a target on a cluster type, in order.
    pub(crate) fn to(&self, cluster_type: u32, target: u32) -> Vec<u32> {
        let (kind, target) = (&self.cluster_types[cluster_type as usize], &self.targets[target as usize]);
        let is_met = |word: usize| kind[word] | target[word] == self.full[word];
        let applying = self.words.iter().zip(0..).filter(|(words, _)| (*words).clone().all(is_met));
        applying.map(|(_, index)| index).collect()
    }
}
