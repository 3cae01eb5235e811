//! How a checkpoint stores its weights: from a tensor's shape to its bytes.
//!
//! A row of `presets/formats.toml` says how one tensor is packed and which tensors are. Knows nothing of
//! shards: a shard is a smaller [`Tensor`].

use super::gpu::{Gpu, Vendor};
use super::model::{Mixer, Model, Role, Tensor};
use serde::Deserialize;

/// A row of `presets/formats.toml`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Format {
    /// Canonical name of the `quant` knob: `awq`, `fp8`, `q4_k_m`.
    pub name: String,
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Bits a weight of a quantised linear takes on average, scales included; for GGUF mixes that of Llama-3.1-8B's file.
    pub bits: f64,
    pub layout: Layout,
    /// What matrix products compute in, where the GPU has that rate; 16-bit elsewhere.
    #[serde(default)]
    pub compute: ComputeRate,
    /// Least compute capability of NVIDIA's cards that engines have kernels for.
    #[serde(default)]
    pub capability: Option<(u8, u8)>,
    /// Its checkpoints carry scales for an fp8 cache.
    #[serde(default)]
    pub fp8_cache: bool,
    pub source: String,
}

/// How tensors are packed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Layout {
    /// Every tensor at the same width.
    Uniform { bits: f64 },
    /// Linears inside layers packed with their scales, every other tensor in 16 bits.
    Packed {
        element_bits: f64,
        /// Arrays beside the elements: scales, zero points, indices.
        #[serde(default)]
        beside: Vec<Beside>,
        #[serde(default)]
        reach: Reach,
        /// Bits of the LM head where the format packs it too (EXL2).
        #[serde(default)]
        head_bits: Option<f64>,
        /// Bits of the other linears, where they are packed too (DeepSeek-V4's attention and shared experts).
        #[serde(default)]
        others_bits: Option<f64>,
    },
    /// llama.cpp: blocks along a row, a type a tensor; the first rule that holds decides, else `base`.
    Gguf {
        base: Block,
        /// Of the LM head, and of embeddings tied to it.
        head: Block,
        #[serde(default)]
        mix: Vec<MixRule>,
    },
}

/// An array that a packed linear carries.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Beside {
    pub bits: f64,
    /// One entry for so many…
    pub per: Per,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    Tensor,
    /// Output feature.
    Row,
    /// Input feature.
    Column,
    /// Consecutive inputs of one row.
    Group(u64),
    /// `n × n` tile.
    Tile(u64),
    /// Consecutive weights of the flattened matrix.
    Flat(u64),
}

/// Which linears are packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// Every linear inside layers, routed experts included, the router not.
    #[default]
    Linears,
    /// `nn.Linear` modules: experts stacked in one parameter stay as they are.
    Modules,
    /// In mixtures of experts only feed-forward layers, shared experts and attention in 16 bits; all linears of a dense model.
    FeedForward,
    /// In mixtures of experts only routed experts.
    Experts,
    /// Feed-forward layers, of dense models too.
    AnyFeedForward,
    /// Those but of the first and the last layer.
    InnerFeedForward,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ComputeRate {
    /// Weights are expanded to 16 bits in the kernel.
    #[default]
    Half,
    Fp8,
    Int8,
    Fp4,
}

/// What a kernel does to a packed weight before it multiplies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unpacking {
    None,
    /// One scale a block.
    Scaled,
    /// Packed scales within a block of blocks (K-quants), or a codebook (I-quants).
    Nested,
}

/// A block type of ggml: `ggml-common.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    F32,
    F16,
    Bf16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q2K,
    Q3K,
    Q4K,
    Q5K,
    Q6K,
    Iq1S,
    Iq1M,
    Iq2Xxs,
    Iq2Xs,
    Iq2S,
    Iq3Xxs,
    Iq3S,
    Iq4Nl,
    Iq4Xs,
    Tq1_0,
    Tq2_0,
    Mxfp4,
}

impl Block {
    /// Weights in a block and its bytes.
    const fn size(self) -> (u64, u64) {
        match self {
            Block::F32 => (1, 4),
            Block::F16 | Block::Bf16 => (1, 2),
            Block::Q4_0 | Block::Iq4Nl => (32, 18),
            Block::Q4_1 => (32, 20),
            Block::Q5_0 => (32, 22),
            Block::Q5_1 => (32, 24),
            Block::Q8_0 => (32, 34),
            Block::Mxfp4 => (32, 17),
            Block::Q2K => (256, 84),
            Block::Q3K | Block::Iq3S => (256, 110),
            Block::Q4K => (256, 144),
            Block::Q5K => (256, 176),
            Block::Q6K => (256, 210),
            Block::Iq1S => (256, 50),
            Block::Iq1M => (256, 56),
            Block::Iq2Xxs | Block::Tq2_0 => (256, 66),
            Block::Iq2Xs => (256, 74),
            Block::Iq2S => (256, 82),
            Block::Iq3Xxs => (256, 98),
            Block::Iq4Xs => (256, 136),
            Block::Tq1_0 => (256, 54),
        }
    }

    /// The type taken where a row is no multiple of the block (`tensor_type_fallback`).
    const fn narrower(self) -> Self {
        match self {
            Block::Q2K | Block::Q3K | Block::Tq1_0 | Block::Tq2_0 => Block::Q4_0,
            Block::Q4K => Block::Q5_0,
            Block::Q5K => Block::Q5_1,
            Block::Q6K => Block::Q8_0,
            Block::Iq1S | Block::Iq1M | Block::Iq2Xxs | Block::Iq2Xs | Block::Iq2S => Block::Iq4Nl,
            Block::Iq3Xxs | Block::Iq3S | Block::Iq4Xs => Block::Iq4Nl,
            Block::F32 | Block::F16 | Block::Bf16 | Block::Q4_0 | Block::Q4_1 | Block::Q5_0 => Block::F16,
            Block::Q5_1 | Block::Q8_0 | Block::Iq4Nl | Block::Mxfp4 => Block::F16,
        }
    }

    /// How a weight is found in it.
    const fn unpacking(self) -> Unpacking {
        match self {
            Block::F32 | Block::F16 | Block::Bf16 => Unpacking::None,
            Block::Q4_0 | Block::Q4_1 | Block::Q5_0 | Block::Q5_1 | Block::Q8_0 => Unpacking::Scaled,
            Block::Iq4Nl | Block::Mxfp4 => Unpacking::Scaled,
            Block::Q2K | Block::Q3K | Block::Q4K | Block::Q5K | Block::Q6K => Unpacking::Nested,
            Block::Iq1S | Block::Iq1M | Block::Iq2Xxs | Block::Iq2Xs | Block::Iq2S => Unpacking::Nested,
            Block::Iq3Xxs | Block::Iq3S | Block::Iq4Xs | Block::Tq1_0 | Block::Tq2_0 => Unpacking::Nested,
        }
    }

    fn fitted(self, row: u64) -> Self {
        let fits = |block: Block| row.is_multiple_of(block.size().0);
        if fits(self) {
            self
        } else if fits(self.narrower()) {
            self.narrower()
        } else {
            Block::F16
        }
    }

    fn bytes(self, tensor: &Tensor) -> f64 {
        let (weights, bytes) = self.size();
        tensor.parameters() as f64 * bytes as f64 / weights as f64
    }
}

/// One line of llama.cpp's `llama_tensor_get_type_impl`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct MixRule {
    pub tensor: MixTensor,
    #[serde(default)]
    pub when: When,
    pub to: Block,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MixTensor {
    Embedding,
    Query,
    Key,
    Value,
    Output,
    /// Gate and up projections, experts' included.
    Up,
    Down,
    /// Routed experts, all three matrices.
    Experts,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    #[default]
    Always,
    /// `use_more_bits`: the first and last eighth of the layers and every third between.
    MoreBits,
    /// The first `1/n` of the layers.
    FirstPart(u64),
    /// The first `n` layers.
    First(u64),
    /// Neither in the first nor in the last eighth.
    Middle,
    /// Four or more query heads share a key head.
    Grouped,
    /// Eight experts (Mixtral).
    EightExperts,
    /// 80 layers: the 70B class.
    Seventy,
}

impl MixTensor {
    const fn holds(self, role: Role) -> bool {
        match self {
            MixTensor::Embedding => matches!(role, Role::Embedding),
            MixTensor::Query => matches!(role, Role::Query),
            MixTensor::Key => matches!(role, Role::Key),
            MixTensor::Value => matches!(role, Role::Value),
            MixTensor::Output => matches!(role, Role::Output),
            MixTensor::Up => matches!(
                role,
                Role::Gate | Role::Up | Role::ExpertGate | Role::ExpertUp | Role::SharedGate | Role::SharedUp
            ),
            MixTensor::Down => matches!(role, Role::Down | Role::ExpertDown | Role::SharedDown),
            MixTensor::Experts => role.is_routed_expert(),
        }
    }
}

impl When {
    fn holds(self, depth: u64, layers: u64, traits: Traits) -> bool {
        let eighth = layers / 8;
        match self {
            When::Always => true,
            When::MoreBits => depth < eighth || depth >= 7 * layers / 8 || (depth - eighth) % 3 == 2,
            When::FirstPart(n) => depth < layers / n,
            When::First(n) => depth < n,
            When::Middle => depth >= eighth && depth < 7 * layers / 8,
            When::Grouped => traits.grouped,
            When::EightExperts => traits.experts == 8,
            When::Seventy => layers == 80,
        }
    }
    const fn knows_depth(self) -> bool {
        matches!(self, When::MoreBits | When::FirstPart(_) | When::First(_) | When::Middle)
    }
}

/// What a mix asks about a model.
#[derive(Clone, Copy, Debug)]
pub struct Traits {
    pub moe: bool,
    pub tied: bool,
    pub experts: u64,
    pub grouped: bool,
    /// Routed experts come in MXFP4, which GGUF keeps (gpt-oss).
    pub mxfp4_experts: bool,
    pub layers: u64,
    /// Experts are one parameter, not a linear each: transformers from 5 on.
    pub stacked: bool,
}

impl Traits {
    pub fn of(model: &Model) -> Self {
        let grouped = model.layers.iter().any(|kind| match kind.mixer {
            Mixer::Attention { heads, kv_heads, .. } => heads >= 4 * kv_heads,
            Mixer::Latent { .. } | Mixer::Compressed { .. } | Mixer::Linear { .. } | Mixer::Mamba { .. } => false,
            Mixer::Parallel(..) | Mixer::None => false,
        });
        let experts = model.layers.iter().map(|kind| kind.ffn.experts()).max().unwrap_or(0);
        Self {
            moe: experts > 0,
            tied: model.tied_embeddings,
            experts,
            grouped,
            mxfp4_experts: model.native.quant.as_deref() == Some("mxfp4"),
            layers: model.depth(),
            stacked: true,
        }
    }
}

impl Format {
    pub fn is_gguf(&self) -> bool {
        matches!(self.layout, Layout::Gguf { .. })
    }

    /// Whether engines have kernels for it there: on NVIDIA's from a compute capability on, elsewhere where the card
    /// multiplies in eight bits itself, if it is to.
    pub fn runs_on(&self, gpu: &Gpu) -> bool {
        match (gpu.vendor, self.compute) {
            (Vendor::Nvidia, _) => self.capability <= gpu.compute_capability.or(self.capability),
            (_, ComputeRate::Fp8) => gpu.peak.fp8.is_some(),
            (_, ComputeRate::Int8) => gpu.peak.int8.is_some(),
            (_, ComputeRate::Half | ComputeRate::Fp4) => true,
        }
    }

    /// What kernels of GGUF do to most of its weights; none of other formats.
    pub fn unpacking(&self) -> Unpacking {
        match &self.layout {
            Layout::Gguf { base, .. } => base.unpacking(),
            Layout::Uniform { .. } | Layout::Packed { .. } => Unpacking::None,
        }
    }

    /// Whether some tensor's bytes depend on the layer it stands in.
    pub fn varies(&self) -> bool {
        self.is_gguf() || self.varies_by_depth(Role::Down)
    }

    /// Whether a tensor's bytes depend on the layer it stands in.
    pub fn varies_by_depth(&self, role: Role) -> bool {
        match &self.layout {
            Layout::Gguf { mix, .. } => mix.iter().any(|rule| rule.tensor.holds(role) && rule.when.knows_depth()),
            Layout::Packed { reach, .. } => *reach == Reach::InnerFeedForward && role.is_feed_forward(),
            Layout::Uniform { .. } => false,
        }
    }

    /// Whether this tensor is packed rather than left in 16 bits.
    pub fn packs(&self, tensor: &Tensor, traits: Traits) -> bool {
        match &self.layout {
            Layout::Uniform { .. } => false,
            Layout::Packed { reach, head_bits, others_bits, .. } => {
                (tensor.role == Role::LmHead && head_bits.is_some())
                    || (tensor.role.is_layer_linear() && others_bits.is_some())
                    || reach.holds(tensor, 1, traits)
            }
            Layout::Gguf { .. } => gguf_packs(tensor.role),
        }
    }

    /// Bytes of one tensor (or shard of one) that stands in layer `depth`.
    pub fn tensor_bytes(&self, tensor: &Tensor, depth: u64, traits: Traits) -> f64 {
        match &self.layout {
            Layout::Uniform { bits } => tensor.parameters() as f64 * bits / 8.0,
            Layout::Packed { element_bits, beside, reach, head_bits, others_bits } => match head_bits {
                Some(bits) if tensor.role == Role::LmHead => tensor.parameters() as f64 * bits / 8.0,
                _ if reach.holds(tensor, depth, traits) => {
                    let scales: f64 = beside.iter().map(|array| array.bits * array.per.entries(tensor)).sum();
                    (tensor.parameters() as f64 * element_bits + scales) / 8.0
                }
                _ => {
                    let others = others_bits.filter(|_| tensor.role.is_layer_linear()).unwrap_or(16.0);
                    tensor.parameters() as f64 * others / 8.0
                }
            },
            Layout::Gguf { base, head, mix } => {
                let block = match tensor.role {
                    role if !gguf_packs(role) => Block::F32,
                    role if role.is_routed_expert() && traits.mxfp4_experts => Block::Mxfp4,
                    Role::LmHead => *head,
                    Role::Embedding if traits.tied => *head,
                    role => mix
                        .iter()
                        .find(|rule| rule.tensor.holds(role) && rule.when.holds(depth, traits.layers, traits))
                        .map_or(*base, |rule| rule.to),
                };
                block.fitted(tensor.in_features).bytes(tensor)
            }
        }
    }
}

/// llama.cpp keeps vectors, routers and convolutions in 32 bits.
const fn gguf_packs(role: Role) -> bool {
    use Role::*;
    !matches!(role, Norm | Bias | Router | RouterBias | Conv | State | Position | ExpertBias | Sinks | Residual)
}

impl Reach {
    const fn holds(self, tensor: &Tensor, depth: u64, traits: Traits) -> bool {
        use Role::*;
        match self {
            Reach::Linears => tensor.role.is_layer_linear(),
            Reach::Modules => tensor.role.is_layer_linear() && (tensor.copies == 1 || !traits.stacked),
            Reach::FeedForward if traits.moe => tensor.role.is_feed_forward(),
            Reach::AnyFeedForward => tensor.role.is_feed_forward(),
            Reach::InnerFeedForward => tensor.role.is_feed_forward() && 0 < depth && depth + 1 < traits.layers,
            Reach::Experts if traits.moe => matches!(tensor.role, ExpertGate | ExpertUp | ExpertDown),
            Reach::FeedForward | Reach::Experts => tensor.role.is_layer_linear(),
        }
    }
}

impl Per {
    fn entries(self, tensor: &Tensor) -> f64 {
        let (rows, columns, copies) = (tensor.out_features, tensor.in_features, tensor.copies);
        let entries = match self {
            Per::Tensor => copies,
            Per::Row => rows * copies,
            Per::Column => columns * copies,
            Per::Group(n) => rows * columns.div_ceil(n) * copies,
            Per::Tile(n) => rows.div_ceil(n) * columns.div_ceil(n) * copies,
            Per::Flat(n) => (rows * columns).div_ceil(n) * copies,
        };
        entries as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct File {
        format: Vec<Format>,
    }

    fn format(name: &str) -> Format {
        let file: File = toml::from_str(include_str!("../../presets/formats.toml")).expect("formats.toml reads");
        file.format.into_iter().find(|format| format.name == name).expect("a row of that name")
    }

    const DENSE: Traits =
        Traits { moe: false, tied: false, experts: 0, grouped: true, mxfp4_experts: false, layers: 32, stacked: true };

    #[track_caller]
    fn check(name: &str, tensor: Tensor, depth: u64, bytes: f64) {
        assert_eq!(format(name).tensor_bytes(&tensor, depth, DENSE), bytes);
    }

    #[test]
    fn packed_linears_carry_their_scales() {
        let up = Tensor::matrix(Role::Up, 14_336, 4096);
        check("none", up, 0, 14_336.0 * 4096.0 * 2.0);
        // A scale in fp32 for each of 112 x 32 tiles.
        check("fp8-block", up, 0, 14_336.0 * 4096.0 + 112.0 * 32.0 * 4.0);
        // 32 groups a row, each 2 bytes of scale and 2 of zero point.
        check("awq", up, 0, 14_336.0 * 4096.0 / 2.0 + 14_336.0 * 32.0 * 4.0);
        check("awq", Tensor::matrix(Role::LmHead, 128_256, 4096), 0, 128_256.0 * 4096.0 * 2.0);
    }

    #[test]
    fn q4_k_m_spends_more_bits_where_llama_cpp_does() {
        let down = Tensor::matrix(Role::Down, 4096, 14_336);
        // Layers 0..4 and 28..32, then every third from 6: q6_k has 210 bytes for 256 weights, q4_k 144.
        check("q4_k_m", down, 3, 4096.0 * 56.0 * 210.0);
        check("q4_k_m", down, 4, 4096.0 * 56.0 * 144.0);
        check("q4_k_m", down, 6, 4096.0 * 56.0 * 210.0);
        check("q4_k_m", down, 28, 4096.0 * 56.0 * 210.0);
        // A row of 896 is no multiple of 256: q4_k gives way to q5_0, 22 bytes for 32.
        check("q4_k_m", Tensor::matrix(Role::Query, 896, 896), 0, 896.0 * 28.0 * 22.0);
    }
}
