//! Constants of the model of reality: few numbers with a meaning, some of them fitted to measured cases.

use super::gpu::{Class, Gpu, Vendor};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A row of `presets/training.toml` or `presets/serving.toml`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Constant {
    /// The table it belongs to: `training`, `serving`.
    pub of: String,
    pub name: String,
    pub value: f64,
    /// Whether `validate --leave-out` fits it anew.
    #[serde(default)]
    pub fitted: bool,
    /// Of a fitted one: what one would take without measurements, and how far off that may be, of the logarithm.
    #[serde(default)]
    pub expected: Option<f64>,
    #[serde(default)]
    pub spread: Option<f64>,
    pub meaning: String,
    pub source: String,
}

/// The rows of some tables as a struct whose fields have the rows' names; a later table has the last word.
pub fn table<T: DeserializeOwned>(rows: &[Constant], of: &[&str]) -> Result<T, String> {
    let of_table = |of| rows.iter().filter(move |row: &&Constant| row.of == of);
    let values = of.iter().copied().flat_map(of_table).map(|row| (row.name.clone(), row.value.into()));
    serde_json::from_value(serde_json::Value::Object(values.collect())).map_err(|fault| format!("{of:?}: {fault}"))
}

/// What the estimates of both works are computed with.
#[derive(Clone, Debug, PartialEq)]
pub struct Constants {
    pub training: Training,
    pub serving: Serving,
}

impl Constants {
    pub fn of(rows: &[Constant]) -> Result<Self, String> {
        Ok(Self { training: table(rows, &["training"])?, serving: Serving::of(rows)? })
    }
}

/// `presets/training.toml`; each field's meaning stands there.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    pub allocator_floor: f64,
    pub allocator_slack: f64,
    pub allocator_least: f64,
    pub logits_slack: f64,
    pub expandable_gaps: f64,
    pub context_bytes: f64,
    pub communicator_bytes: f64,
    pub doubt_activations: f64,
    pub doubt_logits: f64,
    pub doubt_buffers: f64,
    pub doubt_states: f64,
    pub doubt_regime: f64,
    pub doubt_fixed: f64,
    pub elementwise_eager: f64,
    pub elementwise_fused: f64,
    pub adapter_traffic: f64,
    pub adapter_traffic_fused: f64,
    pub dequantise: f64,
    pub dequantise_gptq: f64,
    pub launch_layer: f64,
    pub launch_fused: f64,
    pub launch_hooks: f64,
    pub launch_experts: f64,
    pub joules: f64,
    pub joules_turing: f64,
    pub joules_blackwell: f64,
    pub efficiency_fp8: f64,
    pub half_rate_experts: f64,
    pub efficiency_attention: f64,
    pub attention_behind: f64,
    pub efficiency_ring: f64,
    pub link_efficiency: f64,
    pub link_through_host: f64,
    pub host_bandwidth: f64,
    pub network: f64,
    pub overlap: f64,
    pub least_exposed: f64,
    pub straggling: f64,
    pub decode_bandwidth: f64,
    pub doubt_products: f64,
    pub doubt_elsewhere: f64,
    pub doubt_experts: f64,
    pub doubt_elementwise: f64,
    pub doubt_launch: f64,
    pub doubt_communication: f64,
    pub doubt_host: f64,
    pub goodput_best: f64,
    pub goodput_worst: f64,
}

/// `presets/serving.toml`: kernels by family and generation of GPUs, engines' own time by engine.
#[derive(Clone, Debug, PartialEq)]
pub struct Serving {
    /// Under `family` and `family.generation`.
    kernels: Vec<(String, Kernels)>,
    /// Under `pace` and `pace.engine`.
    paces: Vec<(String, Pace)>,
    /// Under `draft` and `draft.kind`.
    drafts: Vec<(String, Drafting)>,
    /// Under `host` and `host.class` of the card.
    hosts: Vec<(String, Host)>,
}

impl Serving {
    fn of(rows: &[Constant]) -> Result<Self, String> {
        let (mut kernels, mut paces, mut drafts, mut hosts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut tables: Vec<&str> = rows.iter().map(|row| row.of.as_str()).collect();
        tables.dedup();
        for table_name in tables.into_iter().filter(|name| *name != "training") {
            let family = table_name.split('.').next().unwrap_or(table_name);
            let name = table_name.to_owned();
            match family {
                "pace" => paces.push((name, table(rows, &[family, table_name])?)),
                "draft" => drafts.push((name, table(rows, &[family, table_name])?)),
                "host" => hosts.push((name, table(rows, &[family, table_name])?)),
                _ => kernels.push((name, table(rows, &["server", family, table_name])?)),
            }
        }
        Ok(Self { kernels, paces, drafts, hosts })
    }

    /// Of the GPU's compute capability, else its generation, else its vendor, else the family.
    pub fn kernels(&self, family: &str, gpu: &Gpu) -> Option<&Kernels> {
        let vendor = if gpu.vendor == Vendor::Apple { "apple" } else { "" };
        let capability = gpu.compute_capability.map(|(major, minor)| format!("{major}.{minor}"));
        let parts = [capability.as_deref().unwrap_or_default(), &gpu.generation, vendor];
        parts.into_iter().find_map(|part| own(&self.kernels, family, part)).or_else(|| whole(&self.kernels, family))
    }

    /// Of the machine that a card is usually in.
    pub fn host(&self, gpu: &Gpu) -> Option<&Host> {
        let class = if gpu.class == Class::Datacenter { "datacenter" } else { "" };
        own(&self.hosts, "host", class).or_else(|| whole(&self.hosts, "host"))
    }

    /// Of a kind of drafter.
    pub fn drafting(&self, kind: &str) -> Option<&Drafting> {
        own(&self.drafts, "draft", kind).or_else(|| whole(&self.drafts, "draft"))
    }

    /// Of an engine, else what engines take on average.
    pub fn pace(&self, engine: &str) -> Option<&Pace> {
        own(&self.paces, "pace", engine).or_else(|| whole(&self.paces, "pace"))
    }
}

/// The row `table.part`.
fn own<'a, T>(rows: &'a [(String, T)], table: &str, part: &str) -> Option<&'a T> {
    let is_part = |name: &str| name.strip_prefix(table).and_then(|rest| rest.strip_prefix('.')) == Some(part);
    rows.iter().find(|(name, _)| is_part(name)).map(|(_, row)| row)
}

fn whole<'a, T>(rows: &'a [(String, T)], table: &str) -> Option<&'a T> {
    rows.iter().find(|(name, _)| name == table).map(|(_, row)| row)
}

/// How much of a data sheet an engine's kernels reach; each field's meaning stands in `presets/serving.toml`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kernels {
    pub read: f64,
    pub cache_read: f64,
    pub compute: f64,
    pub prefill: f64,
    pub per_joule: f64,
    pub half_sums: f64,
    pub attention: f64,
    pub latent_attention: f64,
    pub overlap: f64,
    pub expert_read: f64,
    pub expert_read_four_bit: f64,
    pub expert_compute: f64,
    pub expert_prefill: f64,
    pub four_bit_read: f64,
    pub four_bit_compute: f64,
    pub doubt: f64,
    pub expert_doubt: f64,
    pub places: f64,
    pub unpack_scaled: f64,
    pub unpack_nested: f64,
    pub unpack_tile: f64,
    pub launch: f64,
    pub captured: f64,
    pub expert_launch: f64,
    pub latent_launch: f64,
    pub recurrent_launch: f64,
    pub quantised_launch: f64,
    pub link: f64,
    pub stage_overlap: f64,
}

/// What an engine's own work takes, whatever the GPU; each field's meaning stands in `presets/serving.toml`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pace {
    pub step_us: f64,
    pub sequence_us: f64,
    pub layer_us: f64,
    pub eager_us: f64,
    pub prefill_us: f64,
    pub reduction_us: f64,
    pub hop_us: f64,
    pub first_ms: f64,
    pub first_steps: f64,
    pub wave: f64,
    pub ttft_spread: f64,
    pub tpot_spread: f64,
    pub doubt: f64,
}

/// What speculative decoding is run with; each field's meaning stands in `presets/serving.toml`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drafting {
    pub tokens: f64,
    pub acceptance: f64,
}

/// What computes the layers that are not on a card; each field's meaning stands in `presets/serving.toml`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    pub read_gbps: f64,
    pub tflops: f64,
    pub copy: f64,
    pub spread: f64,
}
