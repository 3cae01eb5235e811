//! `infer`: the memory, capacity and speed of serving, and the hardware for it.

use super::estimated;
use super::slash::Opt::{Knob, Needed};
use super::slash::{Asks, MORE, Slash};
use crate::app::Command;
use crate::request::Verb;

pub const COMMAND: Command = Command { verb: Verb::Infer, run: estimated };

pub static SLASH: Slash = Slash {
    name: "infer",
    options: &[
        Needed("model"),
        Knob("gpu"),
        Knob("gpus"),
        Knob("backend"),
        Knob("quant"),
        Knob("kv"),
        Knob("seq"),
        Knob("prompt"),
        Knob("output"),
        Knob("concurrency"),
        Knob("tp"),
        Knob("pp"),
        Knob("dp"),
        Knob("ep"),
        Knob("gpu_mem_util"),
        Knob("max_seqs"),
        Knob("max_batched_tokens"),
        Knob("eager"),
        Knob("ttft"),
        Knob("tpot"),
        Knob("budget"),
        MORE,
    ],
    asks: |given| Asks::Line(given.line("infer")),
    is_private: false,
};
