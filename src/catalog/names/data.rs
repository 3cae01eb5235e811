//! `presets/names.toml`: what people call things, beyond the catalog's own ids.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    pub empty: Vec<String>,
    pub instruct: Vec<String>,
    pub base: Vec<String>,
    pub lines: Vec<String>,
    pub gpus: GpuWords,
    pub unversioned: Vec<String>,
    pub popular: Vec<String>,
    pub words: BTreeMap<String, String>,
    pub moved: BTreeMap<String, String>,
    pub packed: BTreeMap<String, String>,
    pub means: BTreeMap<String, String>,
    pub same: BTreeMap<String, Vec<String>>,
    pub ollama: Ollama,
    pub closed: Vec<Closed>,
    pub other: Other,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GpuWords {
    pub empty: Vec<String>,
    pub optional: Vec<String>,
    pub popular: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ollama {
    pub default: String,
    pub q4_0: Vec<String>,
    pub tags: BTreeMap<String, String>,
    pub latest: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closed {
    pub maker: String,
    pub names: Vec<String>,
    pub open: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Other {
    pub names: Vec<String>,
}

pub static DATA: LazyLock<Data> = LazyLock::new(|| {
    serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/names.json"))).expect("every test of names reads this")
});

impl Ollama {
    /// What the library packs `name:tag` in.
    pub fn packing(&self, name: &str, tag: &str) -> &str {
        let size = tag.split('-').next().unwrap_or(tag);
        let exact = self.tags.get(&format!("{name}:{tag}")).or_else(|| self.tags.get(&format!("{name}:{size}")));
        match exact {
            Some(packing) => packing,
            None if self.q4_0.iter().any(|known| known == name) => "q4_0",
            None => &self.default,
        }
    }
}
