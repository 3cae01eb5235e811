//! An accelerator's data sheet.
//!
//! From a row of `presets/gpus/*.toml`, each value with its unit, to typed quantities.

use crate::units::{Bytes, BytesPerSec, FlopsPerSec, GIB, MIB};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub struct Gpu {
    pub id: String,
    pub name: String,
    pub vendor: Vendor,
    pub aliases: Vec<String>,
    pub class: Class,
    /// A part of a card that acts as a card of its own (NVIDIA's Multi-Instance GPU).
    pub is_part: bool,
    /// What the driver reports as total; for Apple the default GPU limit.
    pub memory: Bytes,
    /// As sold, in GB (which for NVIDIA means GiB).
    pub memory_gb: f64,
    /// Of memory; absent where no source gives it.
    pub bandwidth: Option<BytesPerSec>,
    /// Dense peak rates; absent is "not supported or unknown", never to be extrapolated.
    pub peak: Peak,
    pub link: Link,
    /// How many stand in one usual machine.
    pub gpus_per_node: u32,
    pub tdp_watts: Option<f64>,
    pub release_year: Option<u32>,
    pub compute_capability: Option<(u8, u8)>,
    /// A row of a generation's constants (`hopper`, `ada`, `cdna3`, `apple`), for kernels' efficiency.
    pub generation: String,
    pub price: Option<Price>,
    pub source: String,
}

/// Cards on PCIe that one server or rig takes.
const RIG: u32 = 8;

impl Gpu {
    /// The most that are put in one machine: cards on PCIe come in rigs of more than the usual number.
    pub fn most_per_node(&self) -> u32 {
        match (self.class, self.link.kind) {
            (Class::Consumer | Class::Workstation, LinkKind::Pcie | LinkKind::NvlinkBridge) => {
                self.gpus_per_node.max(RIG)
            }
            _ => self.gpus_per_node,
        }
    }

    /// Bytes that programs can have: NVIDIA's driver keeps about 0.41 GiB and 0.14% of what it reports, as CUDA's total
    /// beside nvidia-smi's shows on T4, L4, A10, A100, H100, H200 and B200; of 64 GiB Ascend's leaves 60.97.
    pub fn visible(&self) -> Bytes {
        match self.vendor {
            Vendor::Nvidia => self.memory - Bytes(0.41 * GIB) - self.memory * 0.0014,
            Vendor::Huawei => self.memory * (60.97 / 64.0),
            Vendor::Amd | Vendor::Intel | Vendor::Apple | Vendor::Google | Vendor::Aws => self.memory,
            Vendor::Cambricon | Vendor::Hygon | Vendor::Baidu | Vendor::MooreThreads | Vendor::MetaX => self.memory,
            Vendor::Iluvatar | Vendor::Biren | Vendor::Enflame | Vendor::THead => self.memory,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vendor {
    Nvidia,
    Amd,
    Intel,
    Apple,
    Huawei,
    Google,
    Aws,
    Cambricon,
    Hygon,
    Baidu,
    MooreThreads,
    MetaX,
    Iluvatar,
    Biren,
    Enflame,
    THead,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    Datacenter,
    Workstation,
    Consumer,
    /// Rented by the hour only: TPU, Trainium.
    Cloud,
    /// Memory shared with the CPU: Apple silicon, Strix Halo, DGX Spark, Jetson.
    Unified,
}

/// Dense rates with 32-bit accumulation.
#[derive(Clone, Debug, Default)]
pub struct Peak {
    pub fp32: Option<FlopsPerSec>,
    pub tf32: Option<FlopsPerSec>,
    pub fp16: Option<FlopsPerSec>,
    pub bf16: Option<FlopsPerSec>,
    pub fp8: Option<FlopsPerSec>,
    pub int8: Option<FlopsPerSec>,
    pub fp4: Option<FlopsPerSec>,
}

impl Peak {
    /// Of a share of the card's multiprocessors.
    fn scaled(&self, by: f64) -> Self {
        let share = |rate: Option<FlopsPerSec>| rate.map(|rate| FlopsPerSec(rate.0 * by));
        let [fp32, tf32, fp16, bf16] = [self.fp32, self.tf32, self.fp16, self.bf16].map(share);
        let [fp8, int8, fp4] = [self.fp8, self.int8, self.fp4].map(share);
        Self { fp32, tf32, fp16, bf16, fp8, int8, fp4 }
    }
}

/// What joins the cards of one machine.
#[derive(Clone, Debug)]
pub struct Link {
    pub kind: LinkKind,
    /// Both directions together, per GPU.
    pub bandwidth: BytesPerSec,
    /// The PCIe slot, both directions.
    pub pcie: BytesPerSec,
    /// Cards that it joins: those of a machine, or of a rack whose switches reach every machine.
    pub reach: u32,
}

impl Link {
    /// Bytes/s in one direction between so many cards by the link itself; none where they meet over PCIe.
    pub fn between(&self, cards: f64) -> Option<f64> {
        let joins = match self.kind {
            LinkKind::Nvlink | LinkKind::InfinityFabric | LinkKind::Fabric => true,
            LinkKind::NvlinkBridge => cards <= 2.0,
            LinkKind::Pcie | LinkKind::None => false,
        };
        joins.then_some(self.bandwidth.0 / 2.0)
    }
    /// Whether all cards of a machine meet over it, as many as there are.
    pub fn joins_all(&self) -> bool {
        self.between(f64::INFINITY).is_some()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkKind {
    /// All cards of a machine, through switches or a full mesh.
    Nvlink,
    /// Pairs of cards; between pairs it is PCIe.
    NvlinkBridge,
    InfinityFabric,
    /// Any other fabric of the vendor (HCCS, ICI, NeuronLink, Xe Link).
    Fabric,
    Pcie,
    None,
}

/// Machines that a cloud rents out. A row of `presets/instances.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// Id of the accelerators.
    pub gpu: String,
    /// Names of the machines that have so many.
    pub sizes: BTreeMap<u64, Vec<String>>,
    pub source: String,
}

impl Instance {
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.sizes.values().flatten().map(String::as_str)
    }
}

/// On demand, per accelerator.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    pub usd_per_hour: f64,
    pub source: String,
}

/// Of memory as sold, what the driver reports where no report is known: firmware keeps some back.
const REPORTED: f64 = 0.995;
/// Where error correction keeps its codes in the same GDDR (A10: 23028 of 24576 MiB, L40S: 46068 of 49152).
const REPORTED_INLINE_ECC: f64 = 0.937;

/// A row of `presets/gpus/*.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    id: String,
    name: String,
    vendor: Vendor,
    generation: String,
    #[serde(default)]
    aliases: Vec<String>,
    class: Class,
    #[serde(deserialize_with = "text")]
    sold: Measure,
    #[serde(default, deserialize_with = "texts")]
    memory: Option<Measure>,
    #[serde(default)]
    inline_ecc: bool,
    #[serde(default, deserialize_with = "texts")]
    bandwidth: Option<Measure>,
    #[serde(default, deserialize_with = "texts")]
    fp32: Option<Measure>,
    #[serde(default, deserialize_with = "texts")]
    tf32: Option<Measure>,
    #[serde(default, deserialize_with = "texts")]
    fp16: Option<Measure>,
    #[serde(default, deserialize_with = "texts")]
    bf16: Option<Measure>,
    #[serde(default, deserialize_with = "texts")]
    fp8: Option<Measure>,
    #[serde(default, deserialize_with = "texts")]
    int8: Option<Measure>,
    #[serde(default, deserialize_with = "texts")]
    fp4: Option<Measure>,
    link: LinkKind,
    #[serde(default, deserialize_with = "texts")]
    link_bandwidth: Option<Measure>,
    /// Where it joins more than a machine's.
    #[serde(default)]
    link_reach: Option<u32>,
    #[serde(default)]
    pcie: Option<String>,
    per_node: u32,
    #[serde(default, deserialize_with = "texts")]
    power: Option<Measure>,
    #[serde(default)]
    year: Option<u32>,
    #[serde(default)]
    compute_capability: Option<String>,
    #[serde(default)]
    price: Option<Price>,
    #[serde(default)]
    mig: Option<Mig>,
    source: String,
}

/// What a card can be cut into.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mig {
    /// What the parts are called by: `a100`.
    name: String,
    /// Parts that the card's multiprocessors are divided into.
    slices: f64,
    /// `3g.40gb`: how many of those, and the memory in GiB.
    profiles: Vec<String>,
}

/// A number with its unit, in bytes, bytes per second, operations per second or watts.
struct Measure(f64);

fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Measure, D::Error> {
    let text = <&str>::deserialize(from)?;
    measure(text).ok_or_else(|| serde::de::Error::custom(format!("no quantity: {text}")))
}

fn texts<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Measure>, D::Error> {
    text(from).map(Some)
}

/// Reads `3.35 TB/s`.
fn measure(text: &str) -> Option<Measure> {
    let (number, unit) = text.split_once(' ')?;
    let scale = match unit {
        "MiB" => MIB,
        "GiB" => GIB,
        "bytes" | "W" => 1.0,
        "GB/s" => 1e9,
        "TB/s" | "TFLOPS" | "TOPS" => 1e12,
        "PFLOPS" | "POPS" => 1e15,
        _ => return None,
    };
    let number = if number.contains('_') { number.replace('_', "").parse() } else { number.parse::<f64>() };
    Some(Measure(number.ok()? * scale))
}

/// Both directions of a slot, `4.0 x16`: 2 GB/s a lane in generation 3, twice that in each next.
fn pcie(slot: &str) -> Option<BytesPerSec> {
    let (generation, lanes) = slot.split_once(".0 x")?;
    let doublings = generation.parse::<i32>().ok()? - 3;
    Some(BytesPerSec(2e9 * lanes.parse::<f64>().ok()? * f64::powi(2.0, doublings)))
}

impl Gpu {
    fn slice(&self, mig: &Mig, profile: &str) -> Option<Self> {
        let (slices, memory) = profile.strip_suffix("gb")?.split_once("g.")?;
        let (slices, memory) = (slices.parse::<f64>().ok()?, memory.parse::<f64>().ok()?);
        Some(Self {
            id: format!("{}-{profile}", self.id),
            name: format!("{} MIG {profile}", self.name),
            aliases: ["", "mig "].map(|word| format!("{} {word}{profile}", mig.name)).to_vec(),
            is_part: true,
            memory: Bytes(memory * GIB * REPORTED),
            memory_gb: memory,
            bandwidth: self.bandwidth.map(|whole| whole * (memory / self.memory_gb)),
            peak: self.peak.scaled(slices / mig.slices),
            link: Link { kind: LinkKind::None, bandwidth: BytesPerSec::ZERO, pcie: self.link.pcie, reach: 1 },
            gpus_per_node: 1,
            tdp_watts: None,
            price: None,
            ..self.clone()
        })
    }
}

impl Row {
    /// The card, then what it can be cut into.
    pub(super) fn gpus(mut self) -> Result<Vec<Gpu>, String> {
        let mig = self.mig.take();
        let whole = self.gpu()?;
        let profiles = mig.iter().flat_map(|mig| mig.profiles.iter().map(move |profile| (mig, profile)));
        let parts = profiles.map(|(mig, profile)| whole.slice(mig, profile).ok_or_else(|| format!("mig {profile}")));
        [Ok(whole.clone())].into_iter().chain(parts).collect()
    }

    fn gpu(self) -> Result<Gpu, String> {
        let rate = |of: Option<Measure>| of.map(|rate| FlopsPerSec(rate.0));
        let reported = if self.inline_ecc { REPORTED_INLINE_ECC } else { REPORTED };
        let slot = match &self.pcie {
            Some(slot) => pcie(slot).ok_or_else(|| format!("{}: pcie {slot}", self.id))?,
            None => BytesPerSec::ZERO,
        };
        let link = self.link_bandwidth.map_or(slot, |bandwidth| BytesPerSec(bandwidth.0));
        let capability = |text: &String| {
            let (major, minor) = text.split_once('.')?;
            Some((major.parse().ok()?, minor.parse().ok()?))
        };
        Ok(Gpu {
            memory: Bytes(self.memory.map_or(self.sold.0 * reported, |memory| memory.0)),
            memory_gb: self.sold.0 / GIB,
            bandwidth: self.bandwidth.map(|bandwidth| BytesPerSec(bandwidth.0)),
            peak: Peak {
                fp32: rate(self.fp32),
                tf32: rate(self.tf32),
                fp16: rate(self.fp16),
                bf16: rate(self.bf16),
                fp8: rate(self.fp8),
                int8: rate(self.int8),
                fp4: rate(self.fp4),
            },
            link: Link {
                kind: self.link,
                bandwidth: link,
                pcie: slot,
                reach: self.link_reach.unwrap_or(self.per_node),
            },
            compute_capability: self.compute_capability.as_ref().and_then(capability),
            id: self.id,
            name: self.name,
            vendor: self.vendor,
            aliases: self.aliases,
            class: self.class,
            is_part: false,
            gpus_per_node: self.per_node,
            tdp_watts: self.power.map(|power| power.0),
            release_year: self.year,
            generation: self.generation,
            price: self.price,
            source: self.source,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::catalog::Catalog;

    #[test]
    fn a_part_of_a_card_has_its_share() {
        let part = Catalog::embedded().gpu("a100-sxm-80gb-3g.40gb").expect("a part of the A100");
        assert!(part.is_part);
        // Half of 2.039 TB/s and three sevenths of 312 TFLOPS.
        assert_eq!(part.bandwidth.map(|rate| (rate.0 / 1e9).round()), Some(1020.0));
        assert_eq!(part.peak.bf16.map(|rate| (rate.0 / 1e11).round()), Some(1337.0));
    }
}
