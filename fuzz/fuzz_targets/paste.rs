//! Any paste is understood, or is not. Seeds of every kind: `cargo fuzz run paste corpus tests/data/pastes`.
#![no_main]

use headroom::catalog::Catalog;
use headroom::paste;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = paste::read(text, Catalog::embedded());
});
