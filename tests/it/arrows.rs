//! The shape of the crate: a module uses only what stands before it in `lib.rs`.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of `lib.rs`, in the order of the flow.
fn order(root: &Path) -> Vec<String> {
    let lib = fs::read_to_string(root.join("src/lib.rs")).expect("lib.rs is in the repository");
    lib.lines().filter_map(|line| line.trim().strip_prefix("pub mod ")?.strip_suffix(';')).map(str::to_owned).collect()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// The top-level modules that a line of code names through `crate::`.
fn named(line: &str) -> Vec<String> {
    let code = line.split("//").next().unwrap_or_default();
    code.split("crate::")
        .skip(1)
        .map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect())
        .collect()
}

#[test]
fn modules_use_only_what_stands_before_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let order = order(root);
    let place: HashMap<&str, usize> = order.iter().enumerate().map(|(i, name)| (name.as_str(), i)).collect();
    let mut wrong = Vec::new();
    for (at, module) in order.iter().enumerate() {
        let mut files = vec![root.join(format!("src/{module}.rs"))];
        rust_files(&root.join("src").join(module), &mut files);
        for file in files {
            let Ok(text) = fs::read_to_string(&file) else { continue };
            for (number, line) in text.lines().enumerate() {
                for used in named(line) {
                    if place.get(used.as_str()).is_some_and(|&other| other > at) {
                        wrong.push(format!("{}:{}: {module} uses {used}", file.display(), number + 1));
                    }
                }
            }
        }
    }
    assert!(order.len() > 5, "lib.rs lists the modules: {order:?}");
    assert!(wrong.is_empty(), "arrows that point the wrong way:\n{}", wrong.join("\n"));
}

#[test]
fn only_the_bot_and_its_commands_name_serenity() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    rust_files(&root.join("src"), &mut files);
    let wrong: Vec<_> = files
        .iter()
        .filter(|file| !file.starts_with(root.join("src/discord")) && !file.ends_with("src/discord.rs"))
        .filter(|file| {
            fs::read_to_string(file).is_ok_and(|text| text.contains("serenity::") || text.contains("poise::"))
        })
        .collect();
    assert!(wrong.is_empty(), "serenity or poise outside src/discord and commands: {wrong:?}");
}
