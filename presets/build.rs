//! Gathers `presets/**/*.toml` into JSON: the models one a line, each to be read when it is asked for, and the rest.
//!
//! - Rows of the same name in all files of the folder stand together: `[[model]]`, `[[gpu]]`, ...
//! - A file's keys above its rows hold for each of its rows.
//! - `like = "id"`: what the row does not say it takes from that row.
//! - `note` is for the file's reader and goes no further.
//! - `names.toml` is one table of its own, read when the first name is.
//! - A model also takes what its `model_type` implies (`architectures.toml`).

use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::{env, fs};

type Table = Map<String, Value>;

/// Keys of an architecture that are not its shape.
const ARCHITECTURE: [&str; 4] = ["model_types", "optional_qk_norm", "sublayers", "defaults"];
/// Keys of a model that are not its shape.
const NAMING: [&str; 8] = ["id", "family", "released", "aliases", "native", "parameters", "source", "like"];

fn main() {
    println!("cargo::rerun-if-changed=presets");
    let mut files = Vec::new();
    list(Path::new("presets"), &mut files);
    files.sort();

    let mut presets = Table::new();
    let mut faults = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).expect("presets are readable");
        match toml::from_str::<Table>(&text) {
            Ok(names) if path.ends_with("names.toml") => write("names.json", &Value::Object(names).to_string()),
            Ok(file) => gather(file, &mut presets),
            Err(fault) => faults.push(format!("{}: {fault}", path.display())),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));

    let architectures = presets.get("architecture").cloned().unwrap_or_default();
    if let Some(Value::Array(models)) = presets.remove("model") {
        let lines = models.iter().map(|row| listed(shaped(model(row, &models, &architectures))));
        write("models.txt", &lines.collect::<String>());
    }
    if let Some(Value::Array(rows)) = presets.get_mut("architecture") {
        *rows = rows.iter().cloned().map(shaped).collect();
    }
    write("presets.json", &Value::Object(presets).to_string());
}

fn write(name: &str, text: &str) {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join(name);
    fs::write(out, text).expect("OUT_DIR is writable");
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("presets is a folder") {
        let path = entry.expect("presets is readable").path();
        if path.is_dir() {
            list(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
}

fn gather(file: Table, presets: &mut Table) {
    let is_rows = |value: &Value| value.as_array().is_some_and(|rows| rows.iter().any(Value::is_object));
    let (rows, common): (Table, Table) = file.into_iter().partition(|(_, value)| is_rows(value));
    let common = Value::Object(common);
    for (name, rows) in rows {
        let all = presets.entry(name).or_insert_with(|| json!([]));
        let (Value::Array(all), Value::Array(rows)) = (all, rows) else { continue };
        all.extend(rows.into_iter().map(|row| without_note(over(&common, &row))));
    }
}

fn without_note(mut row: Value) -> Value {
    row.as_object_mut().expect("rows are tables").remove("note");
    row
}

fn model(row: &Value, models: &[Value], architectures: &Value) -> Value {
    let mut row = row.clone();
    while let Some(like) = row.get("like").cloned() {
        let base =
            models.iter().find(|base| base["id"] == like).unwrap_or_else(|| panic!("no model {like} to be like"));
        let mut base = base.clone();
        for own in ["aliases", "source"] {
            base.as_object_mut().expect("rows are tables").remove(own);
        }
        row.as_object_mut().expect("rows are tables").remove("like");
        row = over(&base, &row);
    }
    let holds = |types: &Value| types.as_array().is_some_and(|types| types.contains(&row["model_type"]));
    let implied = architectures.as_array().and_then(|all| all.iter().find(|row| holds(&row["model_types"])));
    let mut implied = implied.cloned().unwrap_or_else(|| json!({}));
    let own = implied.as_object_mut().expect("rows are tables");
    own.retain(|key, _| !ARCHITECTURE.contains(&key.as_str()));
    over(&implied, &row)
}

/// A model's line: its id, its family, its year, its other names and the rest as JSON, with tabs between.
fn listed(mut row: Value) -> String {
    let aliases = row["aliases"].take();
    let year = json!(row["released"].take().to_string());
    let [id, family] = ["id", "family"].map(|key| row[key].take());
    let names = [id, family, year].into_iter().chain(aliases.as_array().cloned().unwrap_or_default());
    let names: Vec<String> = names.map(|name| name.as_str().expect("names are texts").to_owned()).collect();
    row.as_object_mut().expect("rows are tables").retain(|_, value| !value.is_null());
    format!("{}\t{row}\n", names.join("\t"))
}

/// A row with all that describes the shape gathered under one key.
fn shaped(row: Value) -> Value {
    let Value::Object(row) = row else { unreachable!("rows are tables") };
    let names = |key: &str| NAMING.contains(&key) || ARCHITECTURE.contains(&key);
    let (mut naming, shape): (Table, Table) = row.into_iter().partition(|(key, _)| names(key));
    naming.insert("shape".to_owned(), Value::Object(shape));
    Value::Object(naming)
}

/// `top` laid over `base`, table by table.
fn over(base: &Value, top: &Value) -> Value {
    match (base, top) {
        (Value::Object(base), Value::Object(top)) => {
            let mut both = base.clone();
            for (key, value) in top {
                let merged = both.get(key).map_or_else(|| value.clone(), |below| over(below, value));
                both.insert(key.clone(), merged);
            }
            Value::Object(both)
        }
        _ => top.clone(),
    }
}
