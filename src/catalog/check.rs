//! Checks of the presets themselves: every fault at once, each with the row it is in.

use super::{Catalog, Gpu};
use crate::message::Message;
use crate::msg;
use crate::units::FlopsPerSec;
use std::collections::HashMap;

/// What the checks found.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Models whose published total the tensors give exactly, and all that have a published total.
    pub exact: u64,
    pub published: u64,
    pub faults: Vec<Message>,
}

type Check = fn(&Catalog, &mut Vec<Message>);

const CHECKS: [Check; 8] = [
    counts_match,
    names_are_unique,
    sources_are_given,
    sizes_are_of_this_world,
    years_are_given,
    formats_exist,
    gpus_are_physical,
    gpus_exist,
];

pub fn check(catalog: &Catalog) -> Report {
    let mut faults = Vec::new();
    for check in CHECKS {
        check(catalog, &mut faults);
    }
    let published = || catalog.models().filter(|model| model.published.is_some());
    Report {
        exact: published().filter(|model| model.published == Some(model.counts.total)).count() as u64,
        published: published().count() as u64,
        faults,
    }
}

fn counts_match(catalog: &Catalog, faults: &mut Vec<Message>) {
    for model in catalog.models() {
        if let Some(published) = model.published.filter(|&published| published != model.counts.total) {
            faults.push(msg!(
                "check-count",
                id = model.id.as_str(),
                published = published,
                counted = model.counts.total
            ));
        }
    }
}

fn names_are_unique(catalog: &Catalog, faults: &mut Vec<Message>) {
    let mut kinds: [Vec<(&str, Vec<&str>)>; 6] = Default::default();
    kinds[0].extend(catalog.listed.iter().map(|row| (row.id, row.aliases().collect())));
    kinds[1].extend(catalog.gpus.iter().map(|row| (row.id.as_str(), texts(&row.aliases))));
    kinds[1].extend(catalog.instances.iter().map(|row| (row.gpu.as_str(), row.names().collect())));
    kinds[2].extend(catalog.formats.iter().map(|row| (row.name.as_str(), texts(&row.aliases))));
    kinds[3].extend(catalog.optimizers.iter().map(|row| (row.name.as_str(), texts(&row.aliases))));
    kinds[4].extend(catalog.frameworks.iter().map(|row| (row.name.as_str(), texts(&row.aliases))));
    kinds[5].extend(catalog.backends.iter().map(|row| (row.name.as_str(), texts(&row.aliases))));
    for rows in kinds {
        let mut owners: HashMap<String, &str> = HashMap::new();
        for (id, aliases) in rows {
            // A row may repeat its own id among its aliases, not another's.
            for name in std::iter::once(id).chain(aliases) {
                let owner = *owners.entry(name.to_lowercase()).or_insert(id);
                if owner != id {
                    faults.push(msg!("check-name-twice", name = name, first = owner, second = id));
                }
            }
        }
    }
}

fn texts(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

fn sources_are_given(catalog: &Catalog, faults: &mut Vec<Message>) {
    let models = catalog.models().map(|row| (&row.id, &row.source));
    let gpus = catalog.gpus.iter().map(|row| (&row.id, &row.source));
    let formats = catalog.formats.iter().map(|row| (&row.name, &row.source));
    let optimizers = catalog.optimizers.iter().map(|row| (&row.name, &row.source));
    let frameworks = catalog.frameworks.iter().map(|row| (&row.name, &row.source));
    let backends = catalog.backends.iter().map(|row| (&row.name, &row.source));
    let instances = catalog.instances.iter().map(|row| (&row.gpu, &row.source));
    for (id, source) in
        models.chain(gpus).chain(instances).chain(formats).chain(optimizers).chain(frameworks).chain(backends)
    {
        if source.trim().is_empty() {
            faults.push(msg!("check-no-source", id = id.as_str()));
        }
    }
    for gpu in &catalog.gpus {
        if gpu.price.as_ref().is_some_and(|price| price.source.trim().is_empty()) {
            faults.push(msg!("check-no-source", id = gpu.id.as_str()));
        }
    }
}

/// A shape that loads is possible; here it is also likely.
fn sizes_are_of_this_world(catalog: &Catalog, faults: &mut Vec<Message>) {
    for model in catalog.models() {
        let attention = &model.attention;
        let likely = [
            ("total", (1_000_000..10_000_000_000_000).contains(&model.counts.total)),
            ("active", model.counts.active <= model.counts.total),
            ("vocab", (1_000..1_000_000).contains(&model.vocab_size)),
            ("head_dim", attention.heads == 0 || (16..=640).contains(&attention.head_dim.max(attention.nope_head_dim))),
            ("sliding_window", model.sliding.window.zip(model.max_position).is_none_or(|(window, all)| window <= all)),
            ("max_position", model.max_position.is_none_or(|tokens| (128..=16_777_216).contains(&tokens))),
        ];
        for (figure, likely) in likely {
            if !likely {
                faults.push(msg!("check-unlikely", id = model.id.as_str(), figure = figure));
            }
        }
    }
}

fn years_are_given(catalog: &Catalog, faults: &mut Vec<Message>) {
    for row in catalog.listed.iter().filter(|row| row.released.is_none_or(|year| !(2018..2030).contains(&year))) {
        faults.push(msg!("check-unlikely", id = row.id, figure = "released"));
    }
}

fn formats_exist(catalog: &Catalog, faults: &mut Vec<Message>) {
    for model in catalog.models() {
        if let Some(quant) = &model.native.quant
            && !catalog.formats.iter().any(|format| format.name == *quant)
        {
            faults.push(msg!("check-no-format", id = model.id.as_str(), format = quant.as_str()));
        }
    }
}

/// Figures stay within what has been built, and keep the order that narrower numbers are not slower.
fn gpus_are_physical(catalog: &Catalog, faults: &mut Vec<Message>) {
    for gpu in &catalog.gpus {
        for (figure, right) in physical(gpu) {
            if !right {
                faults.push(msg!("check-unlikely", id = gpu.id.as_str(), figure = figure));
            }
        }
    }
}

fn gpus_exist(catalog: &Catalog, faults: &mut Vec<Message>) {
    for instance in &catalog.instances {
        if catalog.gpu(&instance.gpu).is_none() {
            faults.push(msg!("check-no-gpu", gpu = instance.gpu.as_str()));
        }
    }
}

fn physical(gpu: &Gpu) -> [(&'static str, bool); 10] {
    let peak = &gpu.peak;
    let not_slower = |narrow: Option<FlopsPerSec>, wide: Option<FlopsPerSec>| {
        narrow.zip(wide).is_none_or(|(narrow, wide)| narrow.0 >= 0.99 * wide.0)
    };
    let rates = [peak.fp32, peak.tf32, peak.fp16, peak.bf16, peak.fp8, peak.int8, peak.fp4];
    let sold = gpu.memory_gb;
    [
        // Apple's limit is two thirds of what is sold.
        ("memory", gpu.memory.gib() <= sold * 1.05 && gpu.memory.gib() >= sold * 0.6),
        ("bandwidth", gpu.bandwidth.is_none_or(|rate| (3e10..3e13).contains(&rate.0))),
        ("rates", rates.into_iter().flatten().all(|rate| (3e10..5e16).contains(&rate.0))),
        ("fp8", not_slower(peak.fp8, peak.bf16)),
        ("fp4", not_slower(peak.fp4, peak.fp8)),
        ("tf32", not_slower(peak.bf16, peak.tf32)),
        ("link", gpu.link.bandwidth.0 <= 4e12),
        ("power", gpu.tdp_watts.is_none_or(|watts| (5.0..3_000.0).contains(&watts))),
        ("year", gpu.release_year.is_none_or(|year| (2014..2030).contains(&year))),
        ("price", gpu.price.as_ref().is_none_or(|price| (0.02..100.0).contains(&price.usd_per_hour))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_presets_have_no_fault() {
        let report = check(Catalog::embedded());
        assert_eq!(report.faults, Vec::new());
        assert!(report.published > 300, "{}", report.published);
    }
}
