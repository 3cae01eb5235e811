//! `train`: the memory, compute and time of a training run, and the hardware for it.

use super::estimated;
use super::slash::Opt::{Knob, Needed};
use super::slash::{Asks, MORE, Slash};
use crate::app::Command;
use crate::request::Verb;

pub const COMMAND: Command = Command { verb: Verb::Train, run: estimated };

pub static SLASH: Slash = Slash {
    name: "train",
    options: &[
        Needed("model"),
        Knob("method"),
        Knob("gpu"),
        Knob("gpus"),
        Knob("seq"),
        Knob("batch"),
        Knob("global_batch"),
        Knob("stage"),
        Knob("optimizer"),
        Knob("precision"),
        Knob("master"),
        Knob("framework"),
        Knob("zero"),
        Knob("offload"),
        Knob("checkpointing"),
        Knob("quant"),
        Knob("lora_rank"),
        Knob("nodes"),
        Knob("tp"),
        Knob("pp"),
        Knob("tokens"),
        Knob("samples"),
        Knob("epochs"),
        MORE,
    ],
    asks: |given| Asks::Line(given.line("train")),
    is_private: false,
};
