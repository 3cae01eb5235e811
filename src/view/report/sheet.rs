//! Data sheets: a model's shape and counts, a card's figures.

use super::words::{card, cards, short_name};
use crate::catalog::format::Traits;
use crate::catalog::gpu::LinkKind;
use crate::catalog::model::{Ffn, Mixer};
use crate::catalog::{Catalog, Format, Gpu, Model};
use crate::msg;
use crate::plan::{Choice, Fit};
use crate::text::{self, Locale, number, say, tr};
use crate::units::{Bytes, FlopsPerSec};
use crate::view::{Action, Body, Cell, Row, Table, View};

/// Formats a model sheet lists.
const FORMATS: [&str; 7] = ["none", "fp8", "int8", "awq", "q8_0", "q4_k_m", "bnb-nf4"];

/// Models a card's sheet lists.
const FITTING: usize = 12;

/// The answer to `model`: shape, counts, weights by format, and the smallest set-ups that serve and fine-tune it.
pub fn model(
    locale: Locale,
    model: &Model,
    catalog: &Catalog,
    serves: Option<&Choice>,
    tunes: Option<&Choice>,
) -> View {
    let counts = &model.counts;
    let total = number(counts.total as f64);
    let verdict = match counts.active < counts.total {
        true => say(locale, &msg!("model-counts-active", total = total, active = number(counts.active as f64))),
        false => say(locale, &msg!("model-counts", total = total)),
    };
    let smallest = |choice: Option<&Choice>| {
        choice
            .map(|choice| format!("{} · {}", cards(choice.gpus, choice.gpu), text::bytes(choice.device)))
            .unwrap_or_default()
    };
    View::new(locale, short_name(model))
        .verdict(verdict)
        .section("", shape(locale, model))
        .section(tr(locale, "heading-weights"), weights(catalog, model))
        .section(tr(locale, "heading-serves"), smallest(serves))
        .section(tr(locale, "heading-tunes"), smallest(tunes))
        .section(tr(locale, "heading-source"), Body::Small(vec![model.source.clone()]))
        .button(tr(locale, "button-infer"), Action::Change("work=infer".to_owned()))
        .button(tr(locale, "button-train"), Action::Change("work=train".to_owned()))
}

fn shape(locale: Locale, model: &Model) -> Table {
    let counts = &model.counts;
    let mut rows: Vec<(&'static str, String)> = vec![
        ("sheet-parameters", text::count(counts.total)),
        ("sheet-active", text::count(counts.active)),
        ("sheet-layers", text::count(model.depth())),
        ("sheet-hidden", text::count(model.hidden_size)),
    ];
    rows.extend(attention(model).into_iter().map(|kind| ("sheet-attention", kind)));
    rows.extend([
        ("sheet-ffn", feed_forward(model)),
        ("sheet-vocabulary", text::count(model.vocab_size)),
        ("sheet-context", model.max_position.map(text::count).unwrap_or_default()),
        (
            "sheet-vision",
            if model.vision_parameters > 0 { text::count(model.vision_parameters) } else { String::new() },
        ),
        ("sheet-stored", model.native.quant.clone().unwrap_or_else(|| model.native.dtype.clone())),
    ]);
    if counts.active == counts.total {
        rows.retain(|(key, _)| *key != "sheet-active");
    }
    let rows = rows.into_iter().filter(|(_, value)| !value.is_empty());
    Table {
        header: vec![],
        rows: rows.map(|(key, value)| Row::new([Cell::number(value), Cell::word(tr(locale, key))])).collect(),
    }
}

/// The kinds of mixer with how many layers have each: `GQA 32:8 ×128`, `MLA 512+64`.
fn attention(model: &Model) -> Vec<String> {
    let mut kinds: Vec<(String, u64)> = Vec::new();
    for layer in &model.layers {
        let name = mixer(&layer.mixer);
        match kinds.iter_mut().find(|(kind, _)| *kind == name) {
            Some((_, count)) => *count += layer.count,
            None => kinds.push((name, layer.count)),
        }
    }
    match kinds.as_slice() {
        [(kind, _)] => vec![kind.clone()],
        kinds => kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect(),
    }
}

fn mixer(mixer: &Mixer) -> String {
    match mixer {
        Mixer::Attention { heads, kv_heads, head_dim, window, .. } => {
            let kind = match kv_heads {
                1 => "MQA",
                kv_heads if kv_heads == heads => "MHA",
                _ => "GQA",
            };
            let window = window.map(|window| format!(" w{window}")).unwrap_or_default();
            format!("{kind} {heads}:{kv_heads}×{head_dim}{window}")
        }
        Mixer::Latent { heads, kv_lora_rank, rope_head_dim, .. } => {
            format!("MLA {heads}, {kv_lora_rank}+{rope_head_dim}")
        }
        Mixer::Compressed { heads, head_dim, window, rate, .. } => {
            let rate = rate.map(|rate| format!(", 1/{rate}")).unwrap_or_default();
            format!("CSA {heads}×{head_dim} w{window}{rate}")
        }
        Mixer::Linear { .. } => "linear".to_owned(),
        Mixer::Mamba { state_size, .. } => format!("Mamba {state_size}"),
        Mixer::Parallel(one, other) => format!("{} ∥ {}", self::mixer(one), self::mixer(other)),
        Mixer::None => "–".to_owned(),
    }
}

/// The widest feed-forward layer: `14336`, `8/128 × 1536`.
fn feed_forward(model: &Model) -> String {
    let experts = model.layers.iter().find_map(|layer| match layer.ffn {
        Ffn::Moe { experts, top_k, intermediate_size, .. } => Some(format!("{top_k}/{experts} × {intermediate_size}")),
        Ffn::Dense { .. } | Ffn::None => None,
    });
    let dense = model.layers.iter().filter_map(|layer| match layer.ffn {
        Ffn::Dense { intermediate_size, .. } => Some(intermediate_size),
        Ffn::Moe { .. } | Ffn::None => None,
    });
    experts.or_else(|| dense.max().map(text::count)).unwrap_or_default()
}

fn weights(catalog: &Catalog, model: &Model) -> Table {
    // As published first, where that is none of the usual.
    let published = model.native.quant.as_deref().filter(|name| !FORMATS.contains(name));
    let names = published.into_iter().chain(FORMATS);
    let formats = names.filter_map(|name| catalog.formats.iter().find(|format| format.name == name));
    let rows = formats.map(|format| {
        let name = if format.name == "none" { "16-bit" } else { &format.name };
        Row::new([Cell::word(name), Cell::number(text::bytes(weight_bytes(model, format)))])
    });
    Table { header: vec![], rows: rows.collect() }
}

/// Bytes of every tensor, each layer at its own depth.
fn weight_bytes(model: &Model, format: &Format) -> Bytes {
    let traits = Traits::of(model);
    let outer = model.outer.iter().map(|tensor| format.tensor_bytes(tensor, 0, traits));
    let layers = model.order.iter().enumerate().flat_map(|(depth, kind)| {
        let tensors = model.layers.get(usize::from(*kind)).map_or(&[][..], |layer| &layer.tensors);
        tensors.iter().map(move |tensor| format.tensor_bytes(tensor, depth as u64, traits))
    });
    Bytes(outer.chain(layers).sum::<f64>() + model.vision_parameters as f64 * 2.0)
}

/// The answer to `gpu`: the data sheet, and what runs on one.
pub fn gpu(locale: Locale, gpu: &Gpu, fit: Option<&Fit>) -> View {
    let rate = |rate: Option<FlopsPerSec>| rate.map(text::flops_rate).unwrap_or_default();
    let link = match gpu.link.kind {
        LinkKind::Nvlink | LinkKind::NvlinkBridge => "NVLink",
        LinkKind::InfinityFabric => "Infinity Fabric",
        LinkKind::Fabric => "fabric",
        LinkKind::Pcie => "PCIe",
        LinkKind::None => "",
    };
    let link = if link.is_empty() { String::new() } else { format!("{link} {}", text::bandwidth(gpu.link.bandwidth)) };
    let rows: Vec<(&'static str, String)> = vec![
        ("sheet-memory", text::bytes(gpu.memory)),
        ("sheet-bandwidth", gpu.bandwidth.map(text::bandwidth).unwrap_or_default()),
        ("sheet-bf16", rate(gpu.peak.bf16)),
        ("sheet-fp16", rate(gpu.peak.fp16)),
        ("sheet-fp8", rate(gpu.peak.fp8)),
        ("sheet-int8", rate(gpu.peak.int8).replace("FLOPS", "OPS")),
        ("sheet-fp4", rate(gpu.peak.fp4)),
        ("sheet-fp32", rate(gpu.peak.fp32)),
        ("sheet-link", link),
        ("sheet-per-node", text::count(gpu.gpus_per_node.into())),
        ("sheet-power", gpu.tdp_watts.map(|watts| format!("{} W", number(watts))).unwrap_or_default()),
        ("sheet-released", gpu.release_year.map(|year| year.to_string()).unwrap_or_default()),
        (
            "sheet-price",
            gpu.price
                .as_ref()
                .map(|price| say(locale, &msg!("money-per-hour", usd = text::money(price.usd_per_hour))))
                .unwrap_or_default(),
        ),
    ];
    let rows = rows.into_iter().filter(|(_, value)| !value.is_empty());
    let sheet = Table {
        header: vec![],
        rows: rows.map(|(key, value)| Row::new([Cell::number(value), Cell::word(tr(locale, key))])).collect(),
    };
    let mut sources = vec![gpu.source.clone()];
    sources.extend(gpu.price.as_ref().map(|price| price.source.clone()));
    let mut view = View::new(locale, card(gpu)).section("", sheet);
    if let Some(fit) = fit {
        view = view
            .section(tr(locale, "heading-runs"), super::fit::table(locale, fit, FITTING))
            .section("", super::fit::more(locale, fit, FITTING));
    }
    view.section(tr(locale, "heading-source"), Body::Small(sources))
}
