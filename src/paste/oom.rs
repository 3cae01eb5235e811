//! Messages of memory that ran out.
//!
//! PyTorch's allocators (every wording since 1.0, on CUDA, HIP, XPU, NPU and MPS), vLLM's and SGLang's start-up
//! checks, XLA, llama.cpp.

use super::Kind;
use super::draft::Draft;
use crate::catalog::gpu::Vendor;
use crate::message::Message;
use crate::msg;
use crate::request::Verb;
use crate::units::{Bytes, GIB, KIB, MIB};
use regex::Regex;
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// What makes a text such a message.
const MARKS: &[&str] = &[
    "out of memory",
    "out-of-memory",
    "outofmemory",
    "resource_exhausted",
    "cudamalloc failed",
    "no available memory for the cache blocks",
    "kv cache is needed",
    "failed to allocate",
    "cublas_status_alloc_failed",
    "not enough memory",
    "less than desired gpu memory utilization",
    "larger than the maximum number of tokens that can be stored in kv cache",
    "unable to allocate",
    "insufficient gpu memory",
    "defaultcpuallocator",
    "hiperroroutofmemory",
    "cuda_error_out_of_memory",
    "cudaerrormemoryallocation",
];

/// Each figure by the sentences that give it.
static FIGURES: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    const SIZE: &str = r"(?<size>[0-9][0-9.,]*)\s*(?<unit>bytes|[KMGT]i?B|B)\b";
    let figure = |name, pattern: &str| (name, Regex::new(&pattern.replace("SIZE", SIZE)).expect("written here"));
    vec![
        figure("oom.tried", r"(?i)tried to allocate SIZE"),
        figure("oom.tried", r"(?i)trying to allocate SIZE"),
        figure("oom.tried", r"(?i)out of memory (?:while )?allocating SIZE"),
        figure("oom.tried", r"(?i)failed to allocate (?:request for )?SIZE"),
        figure("oom.tried", r"(?i)allocating SIZE on device [0-9]+: (?:cuda|hip)malloc failed"),
        figure("oom.tried", r"(?i)failed to allocate \w+ buffer of size (?<size>[0-9]+)(?<unit>)"),
        figure("oom.tried", r"(?i)\(?SIZE KV cache is needed"),
        figure("oom.tried", r"(?i)\brequested\s*: SIZE"),
        figure("oom.tried", r"(?i)unable to allocate SIZE"),
        figure("oom.total", r"(?i)SIZE total capacity"),
        figure("oom.total", r"(?i)total capaci?ty of SIZE"),
        figure("oom.total", r"(?i)free memory on device (?:\S+ )?\([0-9.]+/SIZE\)"),
        figure("oom.total", r"(?i)max allowed: SIZE"),
        figure("oom.total", r"(?i)device limit\s*: SIZE"),
        figure("oom.total", r"(?i)total_gpu_memory ?[(=]SIZE"),
        figure("oom.total", r"(?i)total GPU memory \((?<unit>GiB)\): (?<size>[0-9.]+)"),
        figure("oom.free", r"(?i)free GPU memory before component creation attempt \((?<unit>GiB)\): (?<size>[0-9.]+)"),
        figure("oom.allocated", r"(?i)SIZE already allocated"),
        figure("oom.allocated", r"(?i)SIZE is allocated by PyTorch"),
        figure("oom.allocated", r"(?i)MPS allocated: SIZE"),
        figure("oom.allocated", r"(?i)currently allocated\s*: SIZE"),
        figure("oom.free", r"(?i)SIZE free\b"),
        figure("oom.free", r"(?i)of which SIZE is free"),
        figure("oom.free", r"(?i)free \(according to CUDA\)\s*: SIZE"),
        figure("oom.free", r"(?i)available KV cache memory \(SIZE\)"),
        figure("oom.free", r"(?i)free memory on device (?:\S+ )?\((?<size>[0-9.]+)/[0-9.]+ (?<unit>GiB)\)"),
        figure("oom.reserved", r"(?i)SIZE reserved in total"),
        figure("oom.reserved", r"(?i)SIZE is reserved by PyTorch"),
        figure("oom.reserved", r"(?i)SIZE cached\b"),
        figure("oom.process", r"(?i)this process has SIZE memory in use"),
        figure("oom.process", r"(?i)process [0-9]+ has SIZE memory in use"),
    ]
});

static DEVICE: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let patterns = [
        r"(?i)\((?:GPU|NPU|XPU) ([0-9]+);",
        r"(?i)\b(?:GPU|NPU|XPU) ([0-9]+) has a total capaci?ty",
        r"(?i)on device (?:ordinal )?(?:cuda:)?([0-9]+)\b",
    ];
    patterns.iter().map(|pattern| Regex::new(pattern).expect("written here")).collect()
});

static MAX_LENGTH: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)max(?:imum)? seq(?:uence)? len(?:gth)? \(([0-9]+)\)").expect("written here"));
static UTILISATION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:desired GPU memory utilization \(|gpu_memory_utilization=|mem_fraction_static=)([0-9]\.[0-9]+)")
        .expect("written here")
});

/// What is said as the training step runs, and only then.
const TRAINING: &[&str] = &[
    "backward(",
    "optimizer.step",
    "training_step",
    "trainer.train",
    "compute_loss",
    "optimizer_step",
    "_engine_run_backward",
    "train.py",
    "pretrain",
    "finetune",
];
/// What an engine says.
const SERVING: &[(&str, &str)] = &[
    ("vllm", "vllm"),
    ("kv cache is needed", "vllm"),
    ("cache blocks", "vllm"),
    ("gpu_memory_utilization", "vllm"),
    ("stored in kv cache", "vllm"),
    ("sglang", "sglang"),
    ("mem-fraction-static", "sglang"),
    ("mem_fraction_static", "sglang"),
    ("text_generation_server", "tgi"),
    ("text_generation_launcher", "tgi"),
    ("tensorrt_llm", "trtllm"),
    ("[trt-llm]", "trtllm"),
    ("ggml", "llama.cpp"),
    ("llama_", "llama.cpp"),
];

/// Whose cards a runtime's message is of; CUDA's own is NVIDIA's.
const MAKERS: &[(&str, Vendor)] = &[
    ("hip out of memory", Vendor::Amd),
    ("npu out of memory", Vendor::Huawei),
    ("xpu out of memory", Vendor::Intel),
    ("cuda", Vendor::Nvidia),
];

pub fn read(text: &str) -> Option<Draft> {
    let lower = text.to_lowercase();
    if !MARKS.iter().any(|mark| lower.contains(mark)) {
        return None;
    }
    let engine = SERVING.iter().find(|(mark, _)| lower.contains(mark));
    let training = TRAINING.iter().any(|mark| lower.contains(mark));
    let verb = if engine.is_some() && !training { Verb::Infer } else { Verb::Train };
    let mut draft = Draft::new(Kind::Oom, verb);
    for (name, pattern) in FIGURES.iter() {
        if draft.facts.contains_key(*name) {
            continue;
        }
        let size = pattern.captures(text).and_then(|found| bytes(&found["size"], &found["unit"]));
        if let Some(size) = size {
            draft.fact(name, size);
        }
    }
    draft.maker = MAKERS.iter().find(|(mark, _)| lower.contains(mark)).map(|(_, maker)| *maker);
    let device =
        DEVICE.iter().find_map(|pattern| pattern.captures(text)).and_then(|found| found[1].parse::<u64>().ok());
    if let Some(device) = device {
        draft.fact("oom.gpu_index", device);
    }
    if let Some(length) = MAX_LENGTH.captures(text) {
        draft.set("seq", &length[1]);
    }
    if let Some(fraction) = UTILISATION.captures(text) {
        draft.set("gpu_mem_util", &fraction[1]);
    }
    if let Some((_, engine)) = engine.filter(|_| verb == Verb::Infer) {
        draft.set("backend", engine);
    }
    Some(draft)
}

/// What others must hold of a card to be worth a word: more than contexts and what the driver keeps.
const OTHERS: f64 = 2.0 * GIB;

/// What the figures of a message say of its cause, and so of what to change.
pub fn notes(figures: &Map<String, Value>, verb: Verb) -> Vec<Message> {
    let bytes = |name: &str| figures.get(name).and_then(Value::as_f64);
    let (Some(tried), Some(total)) = (bytes("oom.tried"), bytes("oom.total")) else { return vec![] };
    let allocated = bytes("oom.allocated").unwrap_or(0.0);
    // PyTorch 1 counts what is allocated among what is reserved, PyTorch 2 does not.
    let reserved = bytes("oom.reserved").unwrap_or(0.0);
    let idle = if reserved >= allocated { reserved - allocated } else { reserved };
    let free = bytes("oom.free").unwrap_or(0.0);
    let others = bytes("oom.process").map_or(0.0, |process| total - free - process);
    let mut notes = vec![];
    if tried > total {
        notes.push(msg!("oom-beyond-card", tried = Bytes(tried), total = Bytes(total)));
    } else if idle > tried {
        notes.push(msg!("oom-in-pieces", idle = Bytes(idle), tried = Bytes(tried)));
    } else if tried > free {
        notes.push(msg!("oom-short", short = Bytes(tried - free)));
        notes.push(if verb == Verb::Infer { msg!("oom-change-infer") } else { msg!("oom-change-train") });
    }
    if others > OTHERS {
        notes.push(msg!("oom-others", others = Bytes(others)));
    }
    notes
}

fn bytes(number: &str, unit: &str) -> Option<u64> {
    let number: f64 = number.replace(',', "").trim_end_matches('.').parse().ok()?;
    // PyTorch writes binary units; MPS calls them GB and means the same.
    let scale = match unit.to_ascii_lowercase().as_str() {
        "kib" | "kb" => KIB,
        "mib" | "mb" => MIB,
        "gib" | "gb" => GIB,
        "tib" | "tb" => 1024.0 * GIB,
        _ => 1.0,
    };
    Some((number * scale).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &[Message]) {
        assert_eq!(notes(&read(text).unwrap().facts, Verb::Train), expect);
    }

    #[test]
    fn what_lies_idle_could_have_served() {
        // 24.5 GiB reserved less 20 allocated
        let old = "CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0; 31.75 GiB total capacity; 20.00 GiB already \
                   allocated; 1.00 GiB free; 24.50 GiB reserved in total by PyTorch)";
        check(old, &[msg!("oom-in-pieces", idle = Bytes(4.5 * GIB), tried = Bytes(2.0 * GIB))]);
        let new = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 31.75 GiB of which \
                   1.00 GiB is free. Of the allocated memory 20.00 GiB is allocated by PyTorch, and 4.50 GiB is \
                   reserved by PyTorch but unallocated.";
        check(new, &[msg!("oom-in-pieces", idle = Bytes(4.5 * GIB), tried = Bytes(2.0 * GIB))]);
    }

    #[test]
    fn what_is_short_and_who_else_is_there() {
        // 24 - 0.5 - 11.5
        let shared = "CUDA out of memory. Tried to allocate 1.00 GiB. GPU 0 has a total capacity of 24.00 GiB of which \
                      512.00 MiB is free. Including non-PyTorch memory, this process has 11.50 GiB memory in use.";
        let others = msg!("oom-others", others = Bytes(12.0 * GIB));
        check(shared, &[msg!("oom-short", short = Bytes(0.5 * GIB)), msg!("oom-change-train"), others]);
        let absurd = "CUDA out of memory. Tried to allocate 1024.00 GiB. GPU 0 has a total capacity of 80.00 GiB";
        check(absurd, &[msg!("oom-beyond-card", tried = Bytes(1024.0 * GIB), total = Bytes(80.0 * GIB))]);
    }
}
