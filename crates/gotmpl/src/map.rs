//! Go's maps are references: what `set`, `unset` and `merge` do to one shows wherever it is held.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Value;

/// A Go map. Cloning gives another reference to the same map.
///
/// Readers take a [snapshot](MapRef::snapshot), which costs nothing; a writer copies the entries only
/// while somebody holds one, so that a `range` never sees its map change.
pub struct MapRef<K: Ord + Clone>(Arc<Entries<K>>);

struct Entries<K: Ord + Clone>(Mutex<Arc<BTreeMap<K, Value>>>);

impl<K: Ord + Clone> MapRef<K> {
    /// A new map that holds `entries`.
    pub fn new(entries: BTreeMap<K, Value>) -> Self {
        MapRef(Arc::new(Entries(Mutex::new(Arc::new(entries)))))
    }

    /// The entries as they are now.
    pub fn snapshot(&self) -> Arc<BTreeMap<K, Value>> {
        self.0.lock().clone()
    }

    /// The value of `key`.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<Value>
    where
        K: Borrow<Q>,
    {
        self.0.lock().get(key).cloned()
    }

    /// Sets `key` for everyone who holds this map.
    ///
    /// The caller sees to it that the map does not get into itself, or walks over it would not end.
    pub fn insert(&self, key: K, value: Value) {
        let replaced = Arc::make_mut(&mut self.0.lock()).insert(key, value);
        drop(replaced);
    }

    /// Removes `key` for everyone who holds this map.
    pub fn remove<Q: Ord + ?Sized>(&self, key: &Q)
    where
        K: Borrow<Q>,
    {
        let removed = Arc::make_mut(&mut self.0.lock()).remove(key);
        drop(removed);
    }

    /// How many entries.
    pub fn len(&self) -> usize {
        self.0.lock().len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What tells this map from others, however equal their entries are.
    pub fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

impl<K: Ord + Clone> Entries<K> {
    fn lock(&self) -> MutexGuard<'_, Arc<BTreeMap<K, Value>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Ord + Clone> Clone for MapRef<K> {
    fn clone(&self) -> Self {
        MapRef(self.0.clone())
    }
}

impl<K: Ord + Clone + fmt::Debug> fmt::Debug for MapRef<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.snapshot().fmt(f)
    }
}

impl<K: Ord + Clone> From<BTreeMap<K, Value>> for MapRef<K> {
    fn from(entries: BTreeMap<K, Value>) -> Self {
        MapRef::new(entries)
    }
}

impl<K: Ord + Clone> Drop for Entries<K> {
    /// One after the other, not one within the other: templates can chain maps deeper than the stack is.
    fn drop(&mut self) {
        let mut doomed = Vec::new();
        take_apart(self.lock_exclusive(), &mut doomed);
        while let Some(value) = doomed.pop() {
            match value {
                Value::Map(_, map) => {
                    if let Some(mut entries) = Arc::into_inner(map.0) {
                        take_apart(entries.lock_exclusive(), &mut doomed);
                    }
                }
                Value::AnyMap(map) => {
                    if let Some(mut entries) = Arc::into_inner(map.0) {
                        take_apart(entries.lock_exclusive(), &mut doomed);
                    }
                }
                Value::List(_, items) => doomed.extend(Arc::into_inner(items).into_iter().flatten()),
                _ => {}
            }
        }
    }
}

impl<K: Ord + Clone> Entries<K> {
    fn lock_exclusive(&mut self) -> &mut Arc<BTreeMap<K, Value>> {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Moves the values out of entries that nobody else holds.
fn take_apart<K: Ord + Clone>(entries: &mut Arc<BTreeMap<K, Value>>, into: &mut Vec<Value>) {
    if let Some(entries) = Arc::get_mut(entries) {
        into.extend(std::mem::take(entries).into_values());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Str;

    #[test]
    fn a_change_shows_in_every_reference_but_in_no_snapshot() {
        let map: MapRef<Str> = MapRef::new(BTreeMap::new());
        let (other, before) = (map.clone(), map.snapshot());
        map.insert("a".into(), Value::Int(1));
        assert!(matches!(other.get(&b"a"[..]), Some(Value::Int(1))));
        assert!(before.is_empty());
        other.remove(&b"a"[..]);
        assert!(map.is_empty());
        assert_eq!(map.address(), other.address());
    }

    #[test]
    fn a_chain_deeper_than_the_stack_is_dropped() {
        let first: MapRef<Str> = MapRef::new(BTreeMap::new());
        let mut last = first.clone();
        for _ in 0..200_000 {
            let next = MapRef::new(BTreeMap::new());
            last.insert("next".into(), Value::list(vec![Value::Map(crate::Elem::Any, next.clone())]));
            last = next;
        }
        drop(first);
    }
}
