//! `infer`: the memory, capacity and speed of serving, and the hardware for it.

use super::estimated;
use crate::app::Command;
use crate::request::Verb;

pub const COMMAND: Command = Command { verb: Verb::Infer, run: estimated };
