//! The platform config of an assignment: layers of ConfigMaps, merged, each value with its history.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use goyaml::Value;

use crate::applies::{Condition, conditions};
use crate::diagnostic::{Diagnostic, Location};
use crate::objects::{AZURE_APP_CONFIG, ConfigMap, PLATFORM_CONFIG};
use crate::plane::ControlPlane;

/// A composed config may hold this many values; merging lists can multiply them.
const MAX_VALUES: usize = 1_000_000;

/// Values that apply together: a ConfigMap, or one key of an `azure-app-config` ConfigMap.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The ConfigMap's name
    pub config_map: String,
    /// What it applies to
    pub conditions: Vec<Condition>,
    /// Its values by key
    pub values: BTreeMap<String, LayerValue>,
}

/// A value of a layer.
#[derive(Clone, Debug)]
pub struct LayerValue {
    /// Text, or the structure that the text holds
    pub value: Value,
    /// Where it is written
    pub location: Location,
}

/// The composed config of all assignments to which the same layers apply.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// Values by key
    pub values: BTreeMap<String, ConfigValue>,
}

/// A value and the layers that made it.
#[derive(Clone, Debug)]
pub struct ConfigValue {
    /// The value
    pub value: Value,
    /// Indexes of the layers that have the key, the winning one last
    pub layers: Vec<u32>,
}

/// Equal if the values are; where they come from makes no difference.
impl PartialEq for ConfigValue {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// All layers in the order in which they apply.
pub fn layers(plane: &ControlPlane) -> Vec<Layer> {
    let is_platform =
        |map: &&ConfigMap| map.meta.labels.get(PLATFORM_CONFIG).is_some_and(|value| value == "true");
    let is_azure = |map: &&ConfigMap| map.meta.name.starts_with(AZURE_APP_CONFIG);
    let platform = plane.config_maps.iter().filter(is_platform).map(platform_layer);
    platform.chain(plane.config_maps.iter().filter(is_azure).flat_map(azure_layers)).collect()
}

fn platform_layer(map: &ConfigMap) -> Layer {
    let value = |text: &crate::objects::ConfigText| LayerValue {
        value: read_value(&text.text),
        location: text.location.clone(),
    };
    Layer {
        config_map: map.meta.name.clone(),
        conditions: conditions(&map.meta.labels),
        values: map.data.iter().map(|(key, text)| (key.clone(), value(text))).collect(),
    }
}

/// Keys of the form `label.value[.label.value…].KEY`; a longer key overrides a shorter one.
fn azure_layers(map: &ConfigMap) -> Vec<Layer> {
    let mut keys: Vec<&String> = map.data.keys().collect();
    keys.sort_by_key(|key| (key.len(), *key));
    let layer = |key: &String| {
        let text = &map.data[key];
        let mut parts: Vec<&str> = key.split('.').collect();
        let name = parts.pop().unwrap_or(key).to_owned();
        let pairs = parts.chunks_exact(2).filter_map(|pair| Condition::new(pair[0], pair[1])).collect();
        let value = LayerValue { value: read_value(&text.text), location: text.location.clone() };
        Layer {
            config_map: map.meta.name.clone(),
            conditions: pairs,
            values: BTreeMap::from([(name, value)]),
        }
    };
    keys.into_iter().map(layer).collect()
}

/// What a ConfigMap's text means: quoted text, a structure, or itself.
fn read_value(text: &str) -> Value {
    let trimmed = text.trim();
    if trimmed.starts_with('\'') && trimmed.ends_with('\'') {
        return trimmed.trim_matches('\'').into();
    }
    match goyaml::read(text) {
        Ok(value @ (Value::Map(_) | Value::Seq(_))) => value,
        _ => text.into(),
    }
}

/// Merges the layers of these indexes, in order.
pub fn compose(layers: &[Layer], applying: &[u32]) -> Result<Config, Diagnostic> {
    let mut history: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for &index in applying {
        for key in layers[index as usize].values.keys() {
            history.entry(key).or_default().push(index);
        }
    }
    let mut left = MAX_VALUES;
    let mut values = BTreeMap::new();
    for (key, indexes) in history {
        let written = |index: &u32| &layers[*index as usize].values[key].value;
        let too_large = |reason| {
            let last = indexes.last().map(|index| layers[*index as usize].values[key].location.clone());
            let problem = Diagnostic::error(format!("config key `{key}`: {reason}"));
            let help = "items of lists without a `name` merge into every such item: give them names";
            Diagnostic { location: last, ..problem.help(help) }
        };
        let value = merged(indexes.iter().map(written), &mut left).map_err(too_large)?;
        values.insert(key.to_owned(), ConfigValue { value, layers: indexes });
    }
    Ok(Config { values })
}

fn merged<'a>(mut written: impl Iterator<Item = &'a Value>, left: &mut usize) -> Result<Value, String> {
    let Some(first) = written.next() else { return Ok(Value::Null) };
    let Some(second) = written.next() else { return Ok(first.clone()) };
    let mut result = Part::new(first, left)?;
    for next in std::iter::once(second).chain(written) {
        let next = Part::new(next, left)?;
        result.merge(next, left)?;
    }
    result.into_value(left)
}

/// A value while it is merged. Maps have an identity, as Go's have: an item of a list that merges into
/// several maps puts the same inner map into each, and a later layer then changes it once for each.
#[derive(Clone)]
enum Part {
    Leaf(Value),
    List(Vec<Part>),
    Map(Rc<RefCell<BTreeMap<Value, Part>>>),
}

fn spend(left: &mut usize, count: usize) -> Result<(), String> {
    *left = left
        .checked_sub(count)
        .ok_or_else(|| format!("the merged config has more than {MAX_VALUES} values"))?;
    Ok(())
}

impl Part {
    fn new(value: &Value, left: &mut usize) -> Result<Part, String> {
        spend(left, 1)?;
        Ok(match value {
            Value::Seq(items) => {
                Part::List(items.iter().map(|item| Part::new(item, left)).collect::<Result<_, _>>()?)
            }
            Value::Map(map) => {
                let entries = map.iter().map(|(key, value)| Ok((key.clone(), Part::new(value, left)?)));
                Part::Map(Rc::new(RefCell::new(entries.collect::<Result<_, String>>()?)))
            }
            leaf => Part::Leaf(leaf.clone()),
        })
    }

    fn into_value(self, left: &mut usize) -> Result<Value, String> {
        spend(left, 1)?;
        Ok(match self {
            Part::Leaf(value) => value,
            Part::List(items) => {
                Value::Seq(items.into_iter().map(|item| item.into_value(left)).collect::<Result<_, _>>()?)
            }
            Part::Map(map) => {
                let entries = map
                    .borrow()
                    .iter()
                    .map(|(key, part)| Ok((key.clone(), part.clone().into_value(left)?)))
                    .collect::<Result<_, String>>()?;
                Value::Map(entries)
            }
        })
    }

    /// Maps merge deep, lists append or merge by name, anything else replaces.
    fn merge(&mut self, new: Part, left: &mut usize) -> Result<(), String> {
        match (self, new) {
            (Part::Map(map), Part::Map(new)) => merge_map(map, &new, left),
            (Part::List(items), Part::List(new)) => merge_list(items, new, left),
            (existing, new) => {
                *existing = new;
                Ok(())
            }
        }
    }

    fn name(&self) -> Option<Name> {
        let Part::Map(map) = self else { return None };
        Some(match map.borrow().get(&"name".into()) {
            None | Some(Part::Leaf(Value::Null)) => Name::Absent,
            Some(Part::Leaf(value)) => Name::Is(value.clone()),
            Some(_) => Name::EqualsNothing,
        })
    }
}

/// What a map in a list is called.
#[derive(PartialEq)]
enum Name {
    Absent,
    Is(Value),
    EqualsNothing,
}

fn merge_map(
    map: &Rc<RefCell<BTreeMap<Value, Part>>>,
    new: &Rc<RefCell<BTreeMap<Value, Part>>>,
    left: &mut usize,
) -> Result<(), String> {
    let entries: Vec<(Value, Part)> =
        new.borrow().iter().map(|(key, part)| (key.clone(), part.clone())).collect();
    for (key, part) in entries {
        spend(left, 1)?;
        let existing = map.borrow().get(&key).cloned();
        let merged = match existing {
            Some(mut existing) => {
                existing.merge(part, left)?;
                existing
            }
            None => part,
        };
        map.borrow_mut().insert(key, merged);
    }
    Ok(())
}

fn merge_list(items: &mut Vec<Part>, new: Vec<Part>, left: &mut usize) -> Result<(), String> {
    for item in new {
        spend(left, 1 + items.len())?;
        let name = item.name().filter(|name| *name != Name::EqualsNothing);
        let equal = |other: &&Part| name.is_some() && other.name() == name;
        let same: Vec<Part> = items.iter().filter(equal).cloned().collect();
        match (&item, same.is_empty()) {
            (Part::Map(map), false) => {
                for other in same {
                    if let Part::Map(other) = other {
                        merge_map(&other, map, left)?;
                    }
                }
            }
            _ => items.push(item),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merge(texts: &[&str]) -> String {
        let values: Vec<Value> = texts.iter().map(|text| read_value(text)).collect();
        goyaml::print(&merged(values.iter(), &mut 10_000).unwrap())
    }

    #[test]
    fn merging() {
        let cases: [(&[&str], &str, &str); 10] = [
            (&["a", "b"], "b\n", "a later text replaces"),
            (&["a: 1", "text"], "text\n", "text replaces a map"),
            (&["{a: 1, b: {c: 1}}", "{b: {d: 2}}"], "a: 1\nb:\n    c: 1\n    d: 2\n", "maps merge deep"),
            (&["[1, 2]", "[2]"], "- 1\n- 2\n- 2\n", "scalars are appended"),
            (
                &["[{name: a, v: 1}, {name: b}]", "[{name: a, w: 2}]"],
                "- name: a\n  v: 1\n  w: 2\n- name: b\n",
                "maps merge by name",
            ),
            (
                &["[{name: a}]", "[{name: c}, {name: c, v: 1}]"],
                "- name: a\n- name: c\n  v: 1\n",
                "also into one just appended",
            ),
            (
                &["[{a: 1}, {b: 2}]", "[{c: 3}]"],
                "- a: 1\n  c: 3\n- b: 2\n  c: 3\n",
                "no name equals no name, in every map",
            ),
            (
                &["[{name: [x], a: 1}]", "[{name: [x], b: 1}]"],
                "- a: 1\n  name:\n    - x\n- b: 1\n  name:\n    - x\n",
                "a list for a name equals nothing",
            ),
            (&["a: [1]", "a: null"], "a: null\n", "null replaces too"),
            (
                &["[{a: 1}, {b: 1}]", "[{d: {e: 1}}]", "[{d: {g: [1]}}]"],
                "- a: 1\n  d:\n    e: 1\n    g:\n        - 1\n        - 1\n- b: 1\n  d:\n    e: 1\n    g:\n        - 1\n        - 1\n",
                "as the operator: both maps hold the same inner map",
            ),
        ];
        for (texts, want, why) in cases {
            assert_eq!(merge(texts), want, "{why}");
        }
    }

    #[test]
    fn values() {
        let cases = [
            ("'5'", Value::from("5"), "quotes say that it is text"),
            ("  'x'  ", "x".into(), "space around the quotes goes"),
            ("'", "".into(), "one quote is both"),
            (" 5 ", " 5 ".into(), "scalars stay as they are"),
            ("yes", "yes".into(), "also booleans"),
            ("a: [", "a: [".into(), "what is no YAML is text"),
        ];
        for (text, want, why) in cases {
            assert_eq!(read_value(text), want, "{text}: {why}");
        }
        assert!(matches!(read_value("a: 1"), Value::Map(_)));
        assert!(matches!(read_value("- 1\n---\n}"), Value::Seq(_)), "only the first document is read");
    }

    #[test]
    fn a_config_cannot_explode() {
        let list = |item: &str, count: usize| format!("[{}]", vec![item; count].join(", "));
        let values = [read_value(&list("{a: [1, 2, 3]}", 300)), read_value(&list("{a: [1, 2, 3]}", 300))];
        assert!(merged(values.iter(), &mut MAX_VALUES.min(20_000)).is_err());
    }
}
