//! A configuration's fields, under any of their names.

use serde_json::{Map, Value};

/// The fields of a configuration; a `null` is as good as absent.
pub(super) struct Config<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Config<'a> {
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }
    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }
    /// The first of these keys that holds a number; of a list with an entry a layer, its first. Cut where no figure
    /// of a model is, so that products of two stay whole.
    pub(super) fn count(&self, keys: &[&str]) -> Option<u64> {
        let number = |value: &Value| Some(value.as_u64().unwrap_or(value.as_f64()?.round() as u64).min(1 << 31));
        keys.iter().find_map(|key| match self.get(key)? {
            Value::Array(list) => number(list.first()?),
            value => number(value),
        })
    }
    /// A number, not a list.
    pub(super) fn single(&self, key: &str) -> Option<u64> {
        self.get(key)?.as_u64()
    }
    pub(super) fn number(&self, key: &str) -> Option<f64> {
        self.get(key)?.as_f64()
    }
    pub(super) fn flag(&self, keys: &[&str]) -> Option<bool> {
        keys.iter().find_map(|key| self.get(key)?.as_bool())
    }
    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.get(key)?.as_str()
    }
    pub(super) fn list(&self, key: &str) -> Option<&'a Vec<Value>> {
        self.get(key)?.as_array().filter(|list| !list.is_empty())
    }
    pub(super) fn numbers(&self, key: &str) -> Option<Vec<u64>> {
        self.list(key)?.iter().map(Value::as_u64).collect()
    }
    /// A list of numbers, or a text of numbers between commas.
    pub(super) fn enumerated(&self, key: &str) -> Option<Vec<u64>> {
        match self.text(key) {
            Some(text) => text.split(',').map(|number| number.trim().parse().ok()).collect(),
            None => self.numbers(key),
        }
    }
    pub(super) fn within(&self, key: &str) -> Option<Config<'a>> {
        self.get(key)?.as_object().map(Config)
    }
}
