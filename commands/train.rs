//! `train`: the memory, compute and time of a training run, and the hardware for it.

use super::estimated;
use crate::app::Command;
use crate::request::Verb;

pub const COMMAND: Command = Command { verb: Verb::Train, run: estimated };
