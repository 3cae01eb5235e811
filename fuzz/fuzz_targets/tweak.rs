//! Any text is a tweak of a line, a question, or chit-chat.
#![no_main]

use headroom::catalog::Catalog;
use headroom::request::{line, tweak};
use libfuzzer_sys::fuzz_target;

const BASE: &str = "train meta-llama/Meta-Llama-3-8B method=lora seq=4096 batch=4 gpu=a100-sxm-80gb gpus=8";

fuzz_target!(|text: &str| {
    let catalog = Catalog::embedded();
    let base = line::read(BASE, catalog).expect("a line").settings;
    tweak::tweak(&base, text, catalog);
});
