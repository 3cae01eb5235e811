//! Collects `presets/**/*.toml` into the program.

fn main() {
    println!("cargo::rerun-if-changed=presets");
}
