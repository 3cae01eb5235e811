//! `KNOBS`: one row a knob. Parsing, canonical writing, help, autocomplete and errors walk it.
//!
//! The table's order is the order in which a canonical line is written.

use super::settings::{Bound, Verb};
use Kind::{Choice, Number};
use rustc_hash::FxHashMap;
use std::sync::LazyLock;

mod read;

pub(super) use read::{given_twice, leading_number, magnitude, nearest, no_gpu, no_model};

/// One setting of a request.
pub struct Knob {
    /// Key in the line, in `changes`, in slash options. `knob-KEY` in `knobs.ftl` says what it is.
    pub key: &'static str,
    /// Other names, English and Chinese, in lower case; a space stands for any of ` `, `_`, `-`.
    pub aliases: &'static [&'static str],
    pub kind: Kind,
    pub example: &'static str,
    pub scope: Scope,
}

/// A knob is its key.
impl PartialEq for Knob {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl std::fmt::Debug for Knob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.key)
    }
}

#[derive(Debug)]
pub enum Kind {
    /// A length in tokens: `k` is 1024. `bound`: the word that has the value found.
    Length {
        min: u64,
        max: u64,
        bound: Option<Bound>,
    },
    /// A count: `k` is 1000.
    Count {
        min: u64,
        max: u64,
        bound: Option<Bound>,
    },
    /// A quantity in the knob's own unit; others by the factor that brings them to it.
    Number {
        min: f64,
        max: f64,
        units: &'static [(&'static str, f64)],
    },
    /// Canonical word and its other spellings.
    Choice(Choices),
    /// A model's name, or one of these words in its place.
    Model(&'static [&'static str]),
    Gpu,
    /// A row of one of the catalog's tables of recipes.
    Row(Table),
    /// Comma-separated words, each of `words`, or of what `spelled` makes into them.
    List {
        words: &'static [&'static str],
        spelled: &'static [(&'static str, &'static str)],
    },
    /// What one owns: `8xa100-sxm-80gb,4xrtx-4090-24gb`.
    Fleet,
    /// One word, as it is.
    Text,
}

pub type Choices = &'static [(&'static str, &'static [&'static str])];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    Formats,
    Optimizers,
    Frameworks,
    Backends,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Both,
    Train,
    Infer,
    /// A custom model's shape.
    Shape,
    /// What a recommendation must meet.
    Target,
}

impl Scope {
    /// Whether a line of this verb may carry such a knob. Verbs that look at either work take all.
    pub fn serves(self, verb: Verb) -> bool {
        match (self, verb) {
            (Scope::Train, Verb::Infer) | (Scope::Infer, Verb::Train) => false,
            (Scope::Both | Scope::Train | Scope::Infer | Scope::Shape | Scope::Target, _) => true,
        }
    }
}

const fn length(min: u64, bound: Option<Bound>) -> Kind {
    Kind::Length { min, max: MAX_LENGTH, bound }
}
const fn count(min: u64, max: u64) -> Kind {
    Kind::Count { min, max, bound: None }
}
const fn number(min: f64, max: f64) -> Kind {
    Number { min, max, units: &[] }
}
/// Drafters that are no model of the catalog.
const DRAFTS: &[&str] = &["none", "mtp", "eagle", "ngram"];
/// Longest sequence a line may ask for: 2^30 tokens.
const MAX_LENGTH: u64 = 1 << 30;
/// More GPUs than any machine hall holds.
const MAX_GPUS: u64 = 1_000_000;

const MOST: Option<Bound> = Some(Bound::Max);

const SWITCH: Choices = &[
    ("on", &["true", "yes", "1", "enable", "enabled", "开", "打开", "开启", "是"]),
    ("off", &["false", "no", "0", "none", "disable", "disabled", "关", "关闭", "否"]),
];
const FLOATS: Choices =
    &[("fp32", &["float32", "f32", "32"]), ("bf16", &["bfloat16"]), ("fp16", &["float16", "f16", "half"])];
/// Weights in other words.
const TARGETS: &[(&str, &str)] = &[
    ("attn", "attention"),
    ("qv", "q,v"),
    ("qkv", "q,k,v"),
    ("qkvo", "q,k,v,o"),
    ("mlp", "gate,up,down"),
    ("ffn", "gate,up,down"),
    ("embeddings", "embed"),
    ("embedding", "embed"),
    ("lm_head", "head"),
];
const MILLISECONDS: &[(&str, f64)] = &[
    ("ms", 1.0),
    ("s", 1e3),
    ("sec", 1e3),
    ("secs", 1e3),
    ("second", 1e3),
    ("seconds", 1e3),
    ("毫秒", 1.0),
    ("秒", 1e3),
];
const HOURS: &[(&str, f64)] = &[
    ("h", 1.0),
    ("hr", 1.0),
    ("hour", 1.0),
    ("hours", 1.0),
    ("d", 24.0),
    ("day", 24.0),
    ("days", 24.0),
    ("w", 168.0),
    ("week", 168.0),
    ("weeks", 168.0),
    ("month", 720.0),
    ("months", 720.0),
    ("小时", 1.0),
    ("天", 24.0),
    ("周", 168.0),
    ("月", 720.0),
];

const fn knob(
    key: &'static str,
    scope: Scope,
    kind: Kind,
    example: &'static str,
    aliases: &'static [&'static str],
) -> Knob {
    Knob { key, aliases, kind, example, scope }
}

use Scope::{Both, Infer, Shape, Target, Train};

#[rustfmt::skip]
pub static KNOBS: &[Knob] = &[
    knob("model", Both, Kind::Model(&["custom"]), "model=meta-llama/Meta-Llama-3-8B", &["模型"]),
    knob("work", Both, Choice(&[("train", &["training", "训练"]), ("infer", &["inference", "serve", "推理"])]), "work=train", &[]),
    knob("topic", Both, Kind::Text, "topic=zero", &[]),
    knob("part", Both, Choice(&[
        ("weights", &["weight", "parameters", "params", "权重", "参数量"]), ("gradients", &["gradient", "grads", "梯度"]),
        ("optimizer", &["optimiser", "adam", "adamw", "优化器"]), ("activations", &["activation", "激活"]), ("logits", &["logit"]),
        ("buffers", &["buffer", "缓冲"]), ("kv_cache", &["kv", "cache", "缓存"]), ("overhead", &["cuda", "nccl", "开销"]),
        ("time", &["slow", "slower", "fast", "faster", "speed", "tokens", "mfu", "long", "慢", "快", "速度", "吞吐", "多久"]), ("total", &["memory", "vram", "显存"]),
    ]), "part=optimizer", &[]),
    // A model's shape, in the words of its config.json.
    knob("layers", Shape, count(1, 1000), "layers=32", &["num layers", "num hidden layers", "n layers", "层数"]),
    knob("hidden", Shape, count(1, 1 << 19), "hidden=4096", &["hidden size", "d model", "hidden dim", "隐藏维度"]),
    knob("heads", Shape, count(1, 1 << 13), "heads=32", &["num heads", "attention heads", "num attention heads", "注意力头数"]),
    knob("kv_heads", Shape, count(1, 1 << 13), "kv_heads=8", &["num kv heads", "num key value heads", "kv头数"]),
    knob("head_dim", Shape, count(1, 1 << 19), "head_dim=128", &["head size", "头维度"]),
    knob("ffn", Shape, count(1, 1 << 19), "ffn=14336", &["intermediate size", "ffn dim", "ffn hidden size"]),
    knob("gated", Shape, Choice(SWITCH), "gated=on", &["swiglu", "glu"]),
    knob("vocab", Shape, count(1, 1 << 24), "vocab=128256", &["vocab size", "词表", "词表大小"]),
    knob("tied", Shape, Choice(SWITCH), "tied=off", &["tie word embeddings", "tied embeddings"]),
    knob("experts", Shape, count(1, 1 << 13), "experts=64", &["num experts", "n routed experts", "专家数"]),
    knob("top_k", Shape, count(1, 1 << 13), "top_k=8", &["num experts per tok", "experts per token"]),
    knob("expert_ffn", Shape, count(1, 1 << 19), "expert_ffn=1408", &["moe intermediate size"]),
    knob("shared_experts", Shape, count(0, 1 << 13), "shared_experts=2", &["n shared experts", "共享专家"]),
    knob("dense_layers", Shape, count(0, 1000), "dense_layers=1", &["first k dense replace"]),
    knob("kv_lora_rank", Shape, count(1, 1 << 19), "kv_lora_rank=512", &[]),
    knob("rope_head_dim", Shape, count(1, 1 << 13), "rope_head_dim=64", &["qk rope head dim"]),
    knob("sliding_window", Shape, length(1, None), "sliding_window=4096", &[]),

    knob("method", Train, Choice(&[
        ("full", &["fft", "full finetune", "full fine tune", "full fine tuning", "full finetuning", "full parameter", "full param", "全参", "全参数", "全量", "全参微调", "全量微调", "全参数微调", "全参训练"]),
        ("lora", &[]), ("qlora", &["q lora"]), ("adalora", &[]), ("dora", &[]),
        ("freeze", &["frozen", "冻结", "冻结微调", "last layers only", "last layers"]),
    ]), "method=qlora", &["finetuning type", "tuner type", "微调方式", "微调方法", "训练方式"]),
    knob("stage", Train, Choice(&[
        ("pretrain", &["pt", "pretraining", "pre training", "pre train", "continue pretraining", "continued pretraining", "cpt", "预训练", "继续预训练", "增量预训练", "从头训练", "from scratch"]),
        ("sft", &["supervised", "supervised finetuning", "instruction tuning", "指令微调", "监督微调"]),
        ("rm", &["reward", "reward modeling", "reward modelling", "奖励模型训练"]),
        ("dpo", &["偏好优化"]), ("orpo", &[]), ("cpo", &[]), ("simpo", &[]), ("kto", &[]),
        ("ppo", &["rlhf"]), ("grpo", &[]),
    ]), "stage=dpo", &["训练阶段", "阶段"]),
    knob("framework", Train, Kind::Row(Table::Frameworks), "framework=deepspeed", &["框架", "训练框架", "trainer"]),
    knob("backend", Infer, Kind::Row(Table::Backends), "backend=vllm", &["engine", "后端", "推理引擎", "推理框架", "引擎"]),
    knob("backend_version", Infer, Kind::Text, "backend_version=0.11.0", &["engine version", "版本"]),
    knob("quant", Both, Kind::Row(Table::Formats), "quant=awq", &["quantization", "quantisation", "quantize", "quantise", "quantizing", "quantising", "权重", "weights", "weight dtype", "量化", "量化方式"]),
    knob("kv", Infer, Choice(&[
        ("auto", &[]), ("fp16", &["f16", "float16"]), ("bf16", &["bfloat16"]), ("fp8", &["fp8_e4m3", "fp8_e5m2", "8bit", "8bits"]), ("int8", &[]), ("int4", &["4bit", "4bits"]),
        ("fp32", &["f32"]), ("q8_0", &[]), ("q5_1", &[]), ("q5_0", &[]), ("q4_1", &[]), ("q4_0", &[]), ("iq4_nl", &[]),
    ]), "kv=fp8", &["kv cache", "kv dtype", "kv cache dtype", "kvcache", "kv cache type", "kv缓存", "kv量化", "kv缓存量化", "kv cache量化", "kv cache quantization", "kv precision", "kv cache precision", "kv quantization", "kv quant"]),
    knob("seq", Both, length(1, MOST), "seq=8192", &[
        "seq len", "seqlen", "seq length", "sequence", "sequences", "sequence length", "sequence len", "max seq len", "max seq length", "max len", "max length", "max model len", "max model length",
        "cutoff len", "cutoff", "context", "ctx", "context length", "context len", "context window", "context size", "ctx size", "ctx len", "n ctx", "num ctx", "block size", "length", "model max length", "max seq", "max context", "max ctx", "maximum context", "maximum sequence length", "maximum length",
        "序列", "序列长度", "序列长", "上下文", "上下文长度", "上下文窗口", "长度", "最大长度", "窗口", "长文本", "文本长度", "最长"]),
    knob("prompt", Infer, length(0, None), "prompt=2048", &["prompt len", "prompt length", "prompt tokens", "prompts", "input", "input len", "input length", "input tokens", "isl", "prefill", "输入", "输入长度", "输入长", "提示词", "提示词长度", "prompt长度"]),
    knob("output", Infer, length(0, None), "output=512", &["output len", "output length", "output tokens", "outputs", "osl", "completion", "completions", "generation length", "gen len", "gen length", "gen tokens", "max new tokens", "max tokens", "decode", "answer", "answers", "generate", "generating", "reply", "replies", "输出", "输出长度", "输出长", "output长度", "生成", "生成长度", "回答", "回复"]),
    knob("concurrency", Infer, Kind::Count { min: 1, max: 1_000_000, bound: MOST }, "concurrency=64", &["concurrent", "conc", "concurrent requests", "concurrent users", "simultaneous users", "simultaneous requests", "parallel requests", "users", "user", "requests", "request", "streams", "clients", "sessions", "people", "employees", "developers", "devs", "folks", "engineers", "students", "colleagues", "agents", "customers", "concurrents", "qps", "并发", "并发数", "并发量", "用户", "个用户", "人同时用", "人", "路并发", "路", "请求", "个请求", "用户数", "个学生", "个同事", "个员工"]),
    knob("batch", Both, Kind::Count { min: 1, max: 1_000_000, bound: MOST }, "batch=4", &["batch size", "micro", "batchsize", "bs", "bsz", "mbs", "mb", "micro batch", "micro batch size", "microbatch", "micro bs", "per device batch", "per device batch size", "per device train batch size", "per gpu batch", "per gpu batch size", "batch size per gpu", "batch per gpu", "batch size per device", "batch per device", "train micro batch size per gpu", "批次", "批大小", "批量", "批次大小", "微批", "微批次", "微批大小", "每卡batch", "单卡batch", "每卡bs", "单卡bs"]),
    knob("accum", Train, count(1, 1_000_000), "accum=8", &["grad accum", "gradient accumulation", "gradient accumulation steps", "grad accumulation", "grad acc", "grad accumulation steps", "grad accum steps", "accum steps", "acc steps", "accumulation", "accumulation steps", "accumulate", "accumulate gradients", "accumulating gradients", "ga", "gas", "梯度累积", "梯度累积步数", "累积步数", "梯度累加", "累积", "累积步"]),
    knob("global_batch", Train, count(1, 1_000_000_000), "global_batch=512", &["gbs", "effective bs", "eff batch", "eff bs", "global batch size", "global bs", "total batch", "total batch size", "effective batch", "effective batch size", "全局批次", "全局批大小", "总批次", "总batch", "全局batch", "等效batch"]),
    knob("precision", Both, Choice(&[
        ("fp32", &["float32", "f32", "32bit", "单精度", "全精度"]), ("fp16", &["float16", "f16", "half precision", "半精度"]), ("bf16", &["bfloat16", "mixed precision", "混合精度"]), ("fp8", &["float8"]),
    ]), "precision=bf16", &["dtype", "compute dtype", "精度"]),
    knob("master", Train, Choice(&[
        ("on", &["true", "yes", "fp32", "开"]), ("off", &["false", "no", "none", "pure", "关"]), ("amp", &["autocast"]),
    ]), "master=off", &["master weights", "master copy", "fp32 master", "主权重"]),
    knob("grads", Train, Choice(FLOATS), "grads=fp32", &["gradient dtype", "grad dtype", "gradients", "gradient precision", "梯度精度", "梯度"]),
    knob("adapters", Train, Choice(FLOATS), "adapters=bf16", &["adapter dtype", "适配器精度"]),
    knob("autocast", Train, Choice(SWITCH), "autocast=off", &[]),
    knob("optimizer", Train, Kind::Row(Table::Optimizers), "optimizer=adamw-8bit", &["optim", "optimiser", "optimizer states", "optimizer state", "优化器", "优化器状态"]),
    knob("zero", Train, count(0, 3), "zero=3", &["zero stage", "deepspeed stage", "deepspeed zero", "stage", "ds", "ds zero", "ds z", "z", "zero优化"]),
    knob("sharding", Train, Choice(&[("fsdp", &["fsdp2", "full shard", "fully sharded"]), ("hsdp", &["hybrid shard"])]), "sharding=fsdp", &["分片"]),
    knob("offload", Train, Choice(&[
        ("none", &["off", "no", "0", "关"]),
        ("optimizer", &["optim", "opt", "optimizer states", "optimizer state", "优化器", "优化器状态"]),
        ("cpu", &["on", "all", "yes", "params", "parameters", "full", "参数", "开"]),
    ]), "offload=cpu", &["cpu offload", "offloading", "cpu offloading", "卸载", "offload到cpu", "卸载到cpu", "cpu卸载"]),
    knob("checkpointing", Train, Choice(&[
        ("off", &["false", "no", "none", "disable", "disabled", "0", "关", "关闭"]),
        ("selective", &["partial", "选择性"]),
        ("on", &["true", "yes", "full", "enable", "enabled", "1", "开", "打开", "开启"]),
    ]), "checkpointing=on", &["gradient checkpointing", "grad checkpointing", "activation checkpointing", "checkpoint activations", "checkpoint", "gradient checkpoint", "gradient ckpt", "grad ckpt", "gc", "ckpt", "ac", "recompute", "recomputation", "activation recomputation", "rematerialization", "remat", "重计算", "梯度检查点", "激活重计算", "激活检查点", "检查点", "激活重算", "重算"]),
    knob("attn", Both, Choice(&[
        ("flash", &["flash attention", "flash attn", "flashattention", "flashattn", "flash attention 2", "flash attention 3", "flash attn 2", "flash attn 3", "flash attention2", "fa2", "fa3", "fa", "flash_attention_2"]),
        ("sdpa", &[]), ("eager", &["naive attention", "eager attention", "vanilla attention"]),
    ]), "attn=flash", &["attention", "attn implementation", "注意力", "注意力实现"]),
    knob("loss", Train, Choice(&[
        ("full", &["materialised", "materialized"]), ("chunked", &["chunks", "chunked loss", "chunked cross entropy", "chunked ce", "分块loss", "分块损失"]), ("fused", &["liger", "fused loss", "fused cross entropy", "cut cross entropy", "cce", "liger kernel", "fused ce", "融合loss"]),
    ]), "loss=fused", &["cross entropy", "损失"]),
    knob("compile", Train, Choice(SWITCH), "compile=on", &["torch compile", "torch.compile", "编译"]),
    knob("lora_rank", Train, count(1, 1_000_000), "lora_rank=16", &["rank", "r", "lora_r", "lora dim", "lora rank", "秩", "lora秩"]),
    knob("lora_alpha", Train, number(0.001, 1e6), "lora_alpha=32", &["alpha", "lora alpha", "a"]),
    knob("lora_targets", Train, Kind::List { words: &["all", "attention", "q", "k", "v", "o", "gate", "up", "down", "embed", "head"], spelled: TARGETS }, "lora_targets=q,v", &["target modules", "lora target", "targets", "target", "目标模块"]),
    knob("ref_model", Train, Choice(SWITCH), "ref_model=on", &["reference model", "ref model", "参考模型"]),
    knob("generations", Train, count(1, 100_000), "generations=8", &["num generations", "组大小", "generation", "gens", "rollouts", "rollout", "group size", "samples per prompt", "completions per prompt", "采样数", "生成数", "条采样", "采样", "采", "每组", "每个prompt", "每条prompt"]),
    knob("rollout_mem_util", Train, number(0.01, 0.95), "rollout_mem_util=0.3", &["vllm gpu memory utilization", "rollout gpu memory utilization", "rollout engine", "colocated engine", "rollout显存比例"]),
    knob("reward_model", Train, Kind::Model(&[]), "reward_model=meta-llama/Llama-3.1-8B-Instruct", &["奖励模型"]),
    knob("packing", Train, Choice(SWITCH), "packing=on", &["sample packing", "packed", "pack", "打包"]),
    knob("tokens", Train, count(1, 1_000_000_000_000_000), "tokens=10b", &["token", "tok", "toks", "training tokens", "train tokens", "词元", "个token", "token数", "数据量"]),
    knob("samples", Train, count(1, 1_000_000_000_000), "samples=50k", &["sample", "examples", "rows", "records", "pairs", "conversations", "条", "条数据", "样本", "个样本", "条样本"]),
    knob("epochs", Train, number(0.001, 1e6), "epochs=3", &["epoch", "num train epochs", "num epochs", "passes", "轮", "个epoch", "轮次", "训练轮数", "遍"]),
    knob("gpu_mem_util", Infer, number(0.01, 1.0), "gpu_mem_util=0.9", &["gpu memory utilization", "gpu memory utilisation", "gpu mem", "gpu memory util", "gpu util", "util", "mem util", "memory utilization", "mem fraction", "mem fraction static", "memory fraction", "free gpu memory fraction", "显存利用率", "显存占用率", "显存比例"]),
    knob("max_batched_tokens", Infer, length(1, None), "max_batched_tokens=8192", &["max num batched tokens", "chunked prefill", "chunked prefill size", "batched tokens", "prefill chunk"]),
    knob("max_seqs", Infer, count(1, 1_000_000), "max_seqs=256", &["max num seqs", "max running requests", "max sequences", "最大序列数"]),
    knob("eager", Infer, Choice(SWITCH), "eager=on", &["enforce eager", "eager mode"]),
    knob("gpu_layers", Infer, Kind::Count { min: 0, max: 1000, bound: MOST }, "gpu_layers=20", &["ngl", "n gpu layers", "num gpu layers", "layers on gpu", "layers on the gpu", "layers on card", "gpu层数", "层放gpu", "层放显卡"]),
    knob("cpu_moe", Infer, Kind::Count { min: 0, max: 1000, bound: Some(Bound::Min) }, "cpu_moe=24", &["n cpu moe", "ncmoe", "moe layers on cpu", "expert layers on cpu", "cpu专家层数"]),
    knob("draft", Infer, Kind::Model(DRAFTS), "draft=eagle", &["draft model", "drafting", "speculative", "speculative model", "speculative decoding", "assistant model", "草稿模型", "投机解码", "投机采样", "推测解码"]),
    knob("draft_tokens", Infer, count(1, 64), "draft_tokens=3", &["speculative tokens", "num speculative tokens", "draft length", "草稿长度", "投机长度"]),
    knob("acceptance", Infer, number(0.0, 1.0), "acceptance=0.7", &["acceptance rate", "accept rate", "接受率"]),

    knob("gpu", Both, Kind::Gpu, "gpu=a100-sxm-80gb", &["card", "accelerator", "显卡", "卡型", "gpu type", "gpu model"]),
    knob("gpus", Both, Kind::Count { min: 1, max: MAX_GPUS, bound: Some(Bound::Min) }, "gpus=8", &["num gpus", "n gpus", "gpu count", "number of gpus", "cards", "devices", "accelerators", "chips", "world size", "张卡", "块卡", "个gpu", "张gpu", "块gpu", "张显卡", "块显卡", "of these", "of those", "of them", "卡", "卡数", "张", "块", "gpu数", "gpu数量"]),
    knob("nodes", Both, count(1, MAX_GPUS), "nodes=2", &["node", "num nodes", "nnodes", "machines", "machine", "servers", "server", "boxes", "hosts", "dgx", "hgx", "dgxs", "dgx nodes", "hgx nodes", "节点", "个节点", "台机器", "机", "台", "台服务器", "机器"]),
    knob("tp", Both, count(1, MAX_GPUS), "tp=4", &["tensor parallel", "tensor parallelism", "tensor parallel size", "tp size", "tensor model parallel size", "张量并行", "tensor并行", "张量并行度"]),
    knob("pp", Both, count(1, MAX_GPUS), "pp=2", &["pipeline parallel", "pipeline parallelism", "pipeline parallel size", "pp size", "pipeline stages", "pipeline model parallel size", "流水线并行", "pipeline并行", "流水并行", "流水线"]),
    knob("dp", Both, count(1, MAX_GPUS), "dp=8", &["data parallel", "data parallelism", "data parallel size", "dp size", "replicas", "replica", "数据并行", "副本"]),
    knob("ep", Both, count(1, MAX_GPUS), "ep=8", &["expert parallel", "expert parallelism", "expert parallel size", "ep size", "专家并行"]),
    knob("cp", Both, count(1, MAX_GPUS), "cp=2", &["context parallel", "context parallelism", "context parallel size", "ring attention", "ulysses", "上下文并行", "序列并行度"]),
    knob("sp", Train, Choice(SWITCH), "sp=on", &["sequence parallel", "sequence parallelism", "序列并行"]),
    knob("interleave", Train, count(1, 10_000), "interleave=2", &["virtual pipeline", "virtual stages", "vpp", "interleaved", "虚拟流水线"]),

    knob("ttft", Target, Number { min: 0.1, max: 1e7, units: MILLISECONDS }, "ttft=500", &["time to first token", "first token latency", "first token", "首字", "首字延迟", "首token延迟", "首token"]),
    knob("tpot", Target, Number { min: 0.01, max: 1e7, units: MILLISECONDS }, "tpot=30", &["time per output token", "inter token latency", "itl", "per token", "per token latency", "latency per token", "每字延迟", "每token延迟", "每token", "每个token", "每字", "每个字"]),
    knob("tokens_per_s", Target, Number { min: 0.001, max: 1e12, units: &[("k", 1e3), ("m", 1e6), ("w", 1e4), ("万", 1e4)] }, "tokens_per_s=1000", &["tokens per second", "token per second", "tokens a second", "tok per second", "tok/s", "tokens/s", "token/s", "tok/sec", "tokens/sec", "token/sec", "tps", "throughput", "t/s", "吞吐", "吞吐量"]),
    knob("deadline", Target, Number { min: 0.001, max: 1e6, units: HOURS }, "deadline=24h", &["finish in", "done in", "finished in", "finish within", "done within", "期限"]),
    knob("budget", Target, Number { min: 0.01, max: 1e12, units: &[("$", 1.0), ("usd", 1.0), ("k", 1e3), ("w", 1e4), ("万", 1e4)] }, "budget=500", &["预算"]),
    knob("max_gpus", Target, count(1, MAX_GPUS), "max_gpus=8", &["at most gpus", "up to gpus", "最多卡数"]),
    knob("vendor", Target, Choice(&[
        ("nvidia", &["英伟达"]), ("amd", &["超威"]), ("intel", &["英特尔"]), ("apple", &["苹果"]), ("huawei", &["华为"]), ("google", &["谷歌"]), ("aws", &["amazon"]),
    ]), "vendor=nvidia", &["厂商"]),
    knob("class", Target, Choice(&[
        ("datacenter", &["data center", "datacentre", "数据中心", "服务器卡"]), ("workstation", &["工作站"]), ("consumer", &["gaming", "消费级", "游戏卡"]), ("laptop", &["笔记本"]), ("unified", &["unified memory", "统一内存"]),
    ]), "class=consumer", &["类别"]),
    knob("fleet", Target, Kind::Fleet, "fleet=8xa100-sxm-80gb,4xrtx-4090-24gb", &["我们有的卡"]),
    knob("lang", Both, Choice(&[("en", &["english", "英文", "英语"]), ("zh", &["chinese", "zh-cn", "中文"])]), "lang=zh", &["language", "语言"]),
];

/// A spelling without case and separators: `Max-Seq_Len` and `max seq len` are one.
pub(super) fn squash(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, ' ' | '_' | '-')).flat_map(char::to_lowercase).collect()
}

/// Where each key stands in `KNOBS`.
static PLACES: LazyLock<FxHashMap<&'static str, usize>> =
    LazyLock::new(|| KNOBS.iter().enumerate().map(|(place, knob)| (knob.key, place)).collect());

/// Where a key stands in `KNOBS`.
pub(super) fn place(key: &str) -> Option<usize> {
    PLACES.get(key).copied()
}

/// The knob of this key or other name.
pub fn find(name: &str) -> Option<&'static Knob> {
    if let Some(place) = place(name) {
        return Some(&KNOBS[place]);
    }
    let name = squash(name);
    KNOBS.iter().find(|knob| squash(knob.key) == name || knob.aliases.iter().any(|alias| squash(alias) == name))
}

/// A row of `KNOBS`, by a key the program itself writes.
pub(super) fn of(key: &'static str) -> &'static Knob {
    find(key).expect("a key of KNOBS")
}
