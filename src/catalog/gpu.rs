//! An accelerator's data sheet.

use super::source::Source;
use crate::units::{Bytes, BytesPerSec, FlopsPerSec};

#[derive(Clone, Debug)]
pub struct Gpu {
    pub id: String,
    pub name: String,
    pub vendor: Vendor,
    pub aliases: Vec<String>,
    pub class: Class,
    /// What the driver reports as total; for Apple the default GPU limit.
    pub memory: Bytes,
    /// As sold, in GB (which for NVIDIA means GiB).
    pub memory_gb: f64,
    pub bandwidth: BytesPerSec,
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
    pub source: Source,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Vendor {
    Nvidia,
    Amd,
    Intel,
    Apple,
    Huawei,
    Google,
    Aws,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    Datacenter,
    Workstation,
    Consumer,
    Laptop,
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

/// What joins the cards of one machine.
#[derive(Clone, Debug)]
pub struct Link {
    pub kind: LinkKind,
    /// Both directions together, per GPU.
    pub bandwidth: BytesPerSec,
    /// The PCIe slot, both directions.
    pub pcie: BytesPerSec,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    NvLink,
    InfinityFabric,
    /// Any other fabric of the vendor (HCCS, ICI, NeuronLink, Xe Link).
    Fabric,
    Pcie,
    None,
}

#[derive(Clone, Debug)]
pub struct Price {
    pub usd_per_hour: f64,
    pub source: String,
}
