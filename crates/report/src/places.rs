//! Where something is so: deployment targets on cluster types.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::markdown::code;
use crate::terminal::counted;

/// Deployment targets by cluster type.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Places(pub BTreeMap<Arc<str>, BTreeSet<Arc<str>>>);

/// Up to this many places are named one by one.
const NAMED: usize = 4;
/// Up to this many cluster types are named.
const NAMED_TYPES: usize = 8;

impl Places {
    /// Adds a deployment target on a cluster type.
    pub(crate) fn add(&mut self, cluster_type: &Arc<str>, target: &Arc<str>) {
        self.0.entry(cluster_type.clone()).or_default().insert(target.clone());
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.values().map(BTreeSet::len).sum()
    }

    /// The deployment targets, each once.
    pub(crate) fn targets(&self) -> BTreeSet<&str> {
        self.0.values().flatten().map(|target| &**target).collect()
    }

    /// The one target that all places are of.
    pub(crate) fn only_target(&self) -> Option<&str> {
        let targets = self.targets();
        targets.first().copied().filter(|_| targets.len() == 1)
    }

    /// `37 targets on 3 cluster types: large (30), small (5), tiny (2)` as Markdown; few are named.
    pub(crate) fn summary(&self) -> String {
        let kinds = || self.0.keys().map(|kind| code(kind)).collect::<Vec<_>>().join(", ");
        if let (Some(target), 2..=NAMED) = (self.only_target(), self.0.len()) {
            return format!("{} on {}", code(target), kinds());
        }
        if self.count() <= NAMED {
            let on = |(kind, targets): (&Arc<str>, &BTreeSet<Arc<str>>)| {
                let targets: Vec<String> = targets.iter().map(|target| code(target)).collect();
                format!("{} on {}", targets.join(", "), code(kind))
            };
            return self.0.iter().map(on).collect::<Vec<_>>().join(", ");
        }
        let what = match self.only_target() {
            Some(target) => code(target),
            None => counted(self.count(), "target"),
        };
        if let (1, Some(kind)) = (self.0.len(), self.0.keys().next()) {
            return format!("{what} on {}", code(kind));
        }
        let mut kinds: Vec<(usize, &Arc<str>)> =
            self.0.iter().map(|(kind, targets)| (targets.len(), kind)).collect();
        kinds.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        let named = |(count, kind): &(usize, &Arc<str>)| match self.only_target() {
            Some(_) => code(kind),
            None => format!("{} ({count})", code(kind)),
        };
        let shown: Vec<String> = kinds.iter().take(NAMED_TYPES).map(named).collect();
        let rest = match kinds.len().saturating_sub(NAMED_TYPES) {
            0 => String::new(),
            rest => format!(" and {rest} more"),
        };
        format!("{what} on {}: {}{rest}", counted(kinds.len(), "cluster type"), shown.join(", "))
    }
}

/// `a`, `b` and 4 more, as Markdown.
pub(crate) fn some_of<'a>(names: impl IntoIterator<Item = &'a str>, shown: usize) -> String {
    let mut names = names.into_iter();
    let named: Vec<String> = names.by_ref().take(shown).map(code).collect();
    match names.count() {
        0 => named.join(", "),
        rest => format!("{} and {rest} more", named.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries() {
        let places = |items: &[(&str, usize)]| {
            let mut places = Places::default();
            for (kind, count) in items {
                (0..*count).for_each(|index| places.add(&(*kind).into(), &format!("t{index}").into()));
            }
            places
        };
        let cases: [(&[(&str, usize)], &str); 6] = [
            (&[("large", 1)], "`t0` on `large`"),
            (&[("large", 1), ("small", 1)], "`t0` on `large`, `small`"),
            (&[("large", 2), ("small", 1)], "`t0`, `t1` on `large`, `t0` on `small`"),
            (&[("large", 9)], "9 targets on `large`"),
            (
                &[("a", 1), ("b", 1), ("c", 1), ("d", 1), ("e", 1)],
                "`t0` on 5 cluster types: `a`, `b`, `c`, `d`, `e`",
            ),
            (&[("large", 2), ("small", 30)], "32 targets on 2 cluster types: `small` (30), `large` (2)"),
        ];
        for (items, want) in cases {
            assert_eq!(places(items).summary(), want);
        }
    }
}
