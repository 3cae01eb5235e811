//! The models of the catalog: known by name at once, laid out when first asked for.

use super::model::{Model, Native};
use super::shape::Shape;
use rustc_hash::FxHashMap;
use serde::Deserialize;
use std::sync::{Arc, LazyLock, OnceLock};

/// A model by its names.
pub struct Listed {
    /// Hugging Face id.
    pub id: &'static str,
    /// As people write it.
    pub family: &'static str,
    /// Year of publication.
    pub released: Option<u16>,
    /// Further names, with tabs between.
    aliases: &'static str,
    /// The rest as JSON.
    row: &'static str,
    model: OnceLock<Arc<Model>>,
}

/// What a row of `presets/models/*.toml` says beside the names.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(default)]
    native: Native,
    #[serde(default)]
    parameters: Option<u64>,
    source: String,
    shape: Shape,
}

/// One model a line: id, family, year, other names, the rest as JSON, with tabs between.
static EMBEDDED: LazyLock<Vec<Listed>> = LazyLock::new(|| {
    let listed = |line: &'static str| {
        let (names, row) = line.rsplit_once('\t')?;
        let (id, names) = names.split_once('\t')?;
        let (family, names) = names.split_once('\t')?;
        let (year, aliases) = names.split_once('\t').unwrap_or((names, ""));
        Some(Listed { id, family, released: year.parse().ok(), aliases, row, model: OnceLock::new() })
    };
    include_str!(concat!(env!("OUT_DIR"), "/models.txt")).lines().filter_map(listed).collect()
});

static PLACES: LazyLock<FxHashMap<&'static str, usize>> =
    LazyLock::new(|| EMBEDDED.iter().enumerate().map(|(at, listed)| (listed.id, at)).collect());

impl Listed {
    /// Every model built into the program.
    pub fn embedded() -> &'static [Self] {
        &EMBEDDED
    }

    /// The model of this id, in capitals or not.
    pub fn find(id: &str) -> Option<&'static Self> {
        match PLACES.get(id) {
            Some(at) => Some(&EMBEDDED[*at]),
            None => EMBEDDED.iter().find(|listed| listed.id.eq_ignore_ascii_case(id)),
        }
    }

    pub fn aliases(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.aliases.split_terminator('\t')
    }

    pub fn model(&self) -> &Arc<Model> {
        self.model.get_or_init(|| {
            let row: Row = serde_json::from_str(self.row).expect("the tests read every row");
            let shape = Model::of(row.shape).expect("the tests lay out every shape");
            Arc::new(Model {
                id: self.id.to_owned(),
                family: self.family.to_owned(),
                native: row.native,
                published: row.parameters,
                source: row.source,
                ..shape
            })
        })
    }
}
