//! What `nvidia-smi` prints: its table, `-L`, `-q`, and `--query-gpu` as CSV; Huawei's `npu-smi info`, AMD's
//! `rocm-smi` and `amd-smi`; and the cards that `torch.utils.collect_env` and Ollama's log list.

use super::Kind;
use super::draft::Draft;
use crate::catalog::gpu::{Class, Vendor};
use crate::catalog::{Catalog, Gpu};
use crate::request::Verb;
use crate::units::MIB;
use regex::Regex;
use serde_json::json;
use std::sync::LazyLock;

/// Cards of one machine.
const MOST: usize = 64;

#[derive(Default)]
struct Card {
    name: String,
    total_mib: Option<u64>,
    used_mib: Option<u64>,
    /// Power cap.
    watts: Option<f64>,
}

impl Card {
    fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

/// `|   0  NVIDIA A100-SXM4-80GB          On  | 00000000:07:00.0 Off |`
static NAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[|│]\s*[0-9]+\s+(.+?)\s+(?:On|Off|N/A|TCC|WDDM|MCDM)?\s*[|│]\s*[0-9A-Fa-f]{4,8}:[0-9A-Fa-f]{2}")
        .expect("written here")
});
static MEMORY: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"([0-9]+)\s*MiB\s*/\s*([0-9]+)\s*MiB").expect("written here"));
static POWER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"W\s*/\s*([0-9]+)W").expect("written here"));
/// `GPU 0: NVIDIA A100-SXM4-80GB (UUID: GPU-…)`, of llama.cpp `Device 0: …, compute capability 8.0, VMM: yes`, of
/// LMDeploy's `check_env` `GPU 0,1,2,3: NVIDIA A30`
static LISTED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^.*\b(?:GPU|Device)\s+([0-9]+(?:,[0-9]+)*):\s*(.+?)\s*(\(UUID.*|, compute capability.*)?$")
        .expect("written here")
});
/// `    Product Name                          : NVIDIA L4`
static LOGGED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(Product Name|FB Memory Usage|Total|Used)\s*(?::\s*(.+))?$").expect("written here"));

pub fn read(text: &str, catalog: &Catalog) -> Option<Draft> {
    let mut cards = huawei(text)
        .or_else(|| table(text))
        .or_else(|| listed(text, catalog))
        .or_else(|| logged(text))
        .or_else(|| amd(text, catalog))
        .or_else(|| ollama(text))
        .or_else(|| queried(text))
        .or_else(|| reported(text))?;
    cards.truncate(MOST);
    let ids: Vec<Option<String>> = cards.iter().map(|card| identify(card, catalog)).collect();
    let mut draft = Draft::new(Kind::NvidiaSmi, Verb::Fit);
    // Of mixed cards the kind there is most of.
    let counted = |id: &Option<String>| ids.iter().filter(|other| *other == id).count();
    let most = ids.iter().filter(|id| id.is_some()).rev().max_by_key(|id| counted(id));
    match most {
        Some(Some(id)) => {
            draft.set("gpu", id);
            draft.set("gpus", counted(&Some(id.clone())));
        }
        Some(None) | None => {
            draft.ask("gpu");
            draft.set("gpus", cards.len());
        }
    }
    // What is named without a number may be one of several.
    if text.contains("GPU type") && !text.contains("GPU number") {
        draft.unset("gpus");
    }
    let column = |of: fn(&Card) -> Option<u64>| cards.iter().map(of).collect::<Option<Vec<u64>>>();
    if let Some(total) = column(|card| card.total_mib) {
        draft.fact("smi.total_mib", json!(total));
    }
    if let Some(used) = column(|card| card.used_mib) {
        draft.fact("smi.used_mib", json!(used));
    }
    Some(draft)
}

/// By name and memory: the table cuts long names short.
fn identify(card: &Card, catalog: &Catalog) -> Option<String> {
    let names = catalog.names();
    // Of Ampere's cards only those on PCIe have the memory before the bus: `NVIDIA A100 80GB PCIe`.
    let name = match card.name.strip_suffix(" 80G...") {
        Some(begun) if begun.ends_with("A100") || begun.ends_with("A800") => format!("{begun} 80GB PCIe"),
        _ => card.name.clone(),
    };
    let reported = card.total_mib.and_then(|mib| names.reported_gpu(&name, mib as f64 / 1024.0).map(str::to_owned));
    reported.or_else(|| names.gpu(&name).id).or_else(|| unnamed(card, catalog))
}

/// Of `NVIDIA GeForce ...`, as older drivers cut it, the most wanted of that memory and power cap.
fn unnamed(card: &Card, catalog: &Catalog) -> Option<String> {
    card.name.ends_with("GeForce ...").then_some(())?;
    let (memory, watts) = (card.total_mib? as f64 * MIB, card.watts?);
    let near = |one: f64, other: f64| (one / other - 1.0).abs() < 0.02;
    let fits = |gpu: &&Gpu| {
        let alike = near(gpu.memory.0, memory) && gpu.tdp_watts.is_some_and(|tdp| near(tdp, watts));
        gpu.class == Class::Consumer && gpu.vendor == Vendor::Nvidia && alike
    };
    let wanted = |gpu: &&Gpu| catalog.names().wanted_gpus().iter().position(|id| *id == gpu.id).unwrap_or(usize::MAX);
    catalog.gpus.iter().filter(fits).min_by_key(wanted).map(|gpu| gpu.id.clone())
}

fn table(text: &str) -> Option<Vec<Card>> {
    let mut cards: Vec<Card> = vec![];
    for line in text.lines().map(str::trim) {
        // Slices of a card and what runs on it come after the cards.
        if line.contains("MIG devices") || line.contains("Processes:") {
            break;
        }
        if let Some(found) = NAME.captures(line) {
            let name = found[1].trim_end_matches(" On").trim_end_matches(" Off").trim().to_owned();
            cards.push(Card::named(name));
        } else if let (Some(found), Some(card)) = (MEMORY.captures(line), cards.last_mut())
            && card.total_mib.is_none()
        {
            card.used_mib = found[1].parse().ok();
            card.total_mib = found[2].parse().ok();
            card.watts = POWER.captures(line).and_then(|found| found[1].parse().ok());
        }
    }
    (!cards.is_empty()).then_some(cards)
}

fn listed(text: &str, catalog: &Catalog) -> Option<Vec<Card>> {
    let cards: Vec<Card> = LISTED
        .captures_iter(text)
        .take(MOST)
        .filter(|found| {
            // Without an identifier beside it, a name that is known.
            found.get(3).is_some() || identify(&Card::named(&found[2]), catalog).is_some()
        })
        .flat_map(|found| {
            let count = found[1].split(',').count().min(MOST);
            std::iter::repeat_with(move || Card::named(&found[2])).take(count)
        })
        .collect();
    (!cards.is_empty()).then_some(cards)
}

/// What `llamafactory-cli env` says: `- GPU type: NVIDIA GeForce RTX 4090`, `- GPU number: 8`.
fn reported(text: &str) -> Option<Vec<Card>> {
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.trim_start_matches([' ', '-']).strip_prefix(name));
        line.map(|value| value.trim_start_matches(':').trim())
    };
    let name = field("GPU type")?;
    let count = field("GPU number").and_then(|number| number.parse().ok()).filter(|count| (1..=MOST).contains(count));
    let card = || Card::named(name);
    Some(std::iter::repeat_with(card).take(count.unwrap_or(1)).collect())
}

/// `| 0     910B3               | OK            | 97.6 …`, its memory at the end of the line after.
static HUAWEI: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^\|\s*[0-9]+\s+([0-9A-Za-z-]+)\s*\|\s*\w+\s*\|[^\n]*\n[^\n]*?([0-9]+)\s*/\s*([0-9]+)\s*\|\s*$")
        .expect("written here")
});

fn huawei(text: &str) -> Option<Vec<Card>> {
    text.contains("npu-smi").then_some(())?;
    let card = |found: regex::Captures| Card {
        used_mib: found[2].parse().ok(),
        total_mib: found[3].parse().ok(),
        ..Card::named(format!("Ascend {}", &found[1]))
    };
    let cards: Vec<Card> = HUAWEI.captures_iter(text).take(MOST).map(card).collect();
    (!cards.is_empty()).then_some(cards)
}

/// `GPU[0] : Card Series: AMD Instinct MI300X OAM`, of `amd-smi` `MARKET_NAME: …`; rows of its table and of
/// `rocm-smi`'s, which names no card.
static AMD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?mi)(?:Card series|Device Name|market_name|Marketing Name)\s*:\s*(\S.*?)\s*$|^\|?\s*(?:[0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-9]\s+(AMD .+?)\s*\|")
        .expect("written here")
});
static AMD_MEMORY: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"VRAM Total (Used )?Memory \(B\):\s*([0-9]+)").expect("written here"));
static ROCM_ROW: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?m)^[0-9]+ .*[0-9]%\s+[0-9]+%\s*$").expect("written here"));

fn amd(text: &str, catalog: &Catalog) -> Option<Vec<Card>> {
    let named = AMD.captures_iter(text).filter_map(|found| found.get(1).or(found.get(2)));
    let card = |name: &str| Card::named(name);
    // A processor has a marketing name, too.
    let mut cards: Vec<Card> = named
        .take(MOST)
        .map(|name| card(name.as_str().split('/').next().unwrap_or("")))
        .filter(|card| identify(card, catalog).is_some())
        .collect();
    if cards.is_empty() && text.contains("ROCm System Management Interface") {
        cards = ROCM_ROW.find_iter(text).take(MOST).map(|_| card("")).collect();
    }
    let memory = |used: bool| {
        let of_kind = AMD_MEMORY.captures_iter(text).filter(move |found| found.get(1).is_some() == used);
        of_kind.map(|found| found[2].parse::<u64>().ok().map(|bytes| bytes >> 20))
    };
    for (card, (total, used)) in cards.iter_mut().zip(memory(false).zip(memory(true))) {
        (card.total_mib, card.used_mib) = (total, used);
    }
    (!cards.is_empty()).then_some(cards)
}

/// `msg="inference compute" … name="NVIDIA GeForce RTX 4090" total="23.6 GiB"`
static OLLAMA: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#""inference compute".* (?:name|description)="([^"]+)" total"#).expect("written here")
});

fn ollama(text: &str) -> Option<Vec<Card>> {
    let card = |found: regex::Captures| Card::named(&found[1]);
    let cards: Vec<Card> = OLLAMA.captures_iter(text).take(MOST).map(card).collect();
    (!cards.is_empty()).then_some(cards)
}

fn logged(text: &str) -> Option<Vec<Card>> {
    let mut cards: Vec<Card> = vec![];
    // The first figures after its heading are the frame buffer's.
    let mut frame_buffer = false;
    for found in text.lines().filter_map(|line| LOGGED.captures(line.trim())) {
        let value = found.get(2).map_or("", |value| value.as_str());
        match (&found[1], cards.last_mut()) {
            ("Product Name", _) => cards.push(Card::named(value)),
            ("FB Memory Usage", _) => frame_buffer = true,
            ("Total", Some(card)) if frame_buffer => card.total_mib = megabytes(value),
            ("Used", Some(card)) if frame_buffer => {
                card.used_mib = megabytes(value);
                frame_buffer = false;
            }
            _ => {}
        }
    }
    (!cards.is_empty()).then_some(cards)
}

fn megabytes(cell: &str) -> Option<u64> {
    cell.strip_suffix("MiB").unwrap_or(cell).trim().parse().ok()
}

/// CSV with its header (`name, memory.total [MiB]`), with the columns that its query asks for, or bare rows that hold
/// a name and megabytes.
fn queried(text: &str) -> Option<Vec<Card>> {
    let cells = |line: &str| line.split(',').map(|cell| cell.trim().to_owned()).collect::<Vec<String>>();
    let query = text.lines().find_map(|line| line.split_once("--query-gpu=").filter(|_| line.contains("noheader")));
    let columns = query.and_then(|(_, asked)| Some(cells(asked.split(' ').next()?)));
    let lines = text.lines().filter(|line| line.contains(',') && !line.contains("--query-gpu"));
    let rows: Vec<Vec<String>> = columns.into_iter().chain(lines.map(cells)).collect();
    let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
    let header = rows.iter().position(|row| {
        row.iter().any(|cell| cell.starts_with("memory."))
            && row.iter().any(|cell| matches!(*cell, "name" | "gpu_name"))
    });
    let cards: Vec<Card> = match header {
        Some(at) => {
            let place = |wanted: &[&str]| {
                rows[at].iter().position(|cell| wanted.iter().any(|name| cell.split(' ').next() == Some(name)))
            };
            let (name, total, used, free) = (
                place(&["name", "gpu_name"])?,
                place(&["memory.total"]),
                place(&["memory.used"]),
                place(&["memory.free"]),
            );
            let cell = |row: &[&str], at: Option<usize>| megabytes(row.get(at?)?);
            let rows = rows[at + 1..].iter().filter(|row| row.len() == rows[at].len());
            let card = |row: &Vec<&str>| {
                let total_mib = cell(row, total);
                let used_mib = cell(row, used).or_else(|| total_mib?.checked_sub(cell(row, free)?));
                Card { total_mib, used_mib, ..Card::named(row[name]) }
            };
            rows.map(card).collect()
        }
        None => {
            let card = |row: &Vec<&str>| {
                let name = row.iter().find(|cell| {
                    ["NVIDIA", "Tesla", "GeForce", "Quadro", "RTX"].iter().any(|maker| cell.starts_with(maker))
                })?;
                let sizes: Vec<u64> =
                    row.iter().filter(|cell| cell.ends_with("MiB")).filter_map(|cell| megabytes(cell)).collect();
                let total_mib = sizes.iter().copied().max()?;
                let used_mib = sizes.get(1).copied().filter(|used| *used < total_mib);
                Some(Card { total_mib: Some(total_mib), used_mib, ..Card::named(*name) })
            };
            rows.iter().filter_map(card).collect()
        }
    };
    (!cards.is_empty()).then_some(cards)
}
