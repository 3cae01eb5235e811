//! Two to four set-ups side by side.

use super::Outcome;
use crate::catalog::Catalog;
use crate::message::Problem;
use crate::msg;
use crate::request::complete::work_of;
use crate::request::{Settings, Value};
use std::sync::Arc;

/// Set-ups that can be read side by side.
const MOST: usize = 4;

#[derive(Clone, Debug)]
pub struct Comparison {
    pub columns: Vec<Arc<Outcome>>,
    /// Knobs that are not the same in all columns.
    pub differs: Vec<&'static str>,
}

/// Compares lines, each spread over its lists (`gpu=a,b`, `model=a,b`).
pub fn compare(lines: &[Settings], catalog: &'static Catalog) -> Result<Comparison, Problem> {
    let columns: Vec<Settings> = lines.iter().flat_map(spread).collect();
    match columns.len() {
        0 | 1 => return Err(Problem::new(msg!("problem-compare-one"))),
        2..=MOST => {}
        given => return Err(Problem::new(msg!("problem-compare-many", given = given))),
    }
    let differs = differing(&columns);
    let columns = columns.iter().map(|settings| Outcome::of(settings, catalog)).collect::<Result<_, _>>()?;
    Ok(Comparison { columns, differs })
}

/// One line for each combination of the listed values, as the work it asks about.
fn spread(line: &Settings) -> Vec<Settings> {
    let mut lines = vec![Settings { verb: work_of(line), values: line.values.clone() }];
    for key in ["model", "gpu"] {
        let items = line.texts(key);
        if items.len() > 1 {
            let one = |line: &Settings, item: &String| line.with(key, Value::Text(item.clone()));
            lines = lines.iter().flat_map(|line| items.iter().map(move |item| one(line, item))).collect();
        }
    }
    lines
}

fn differing(columns: &[Settings]) -> Vec<&'static str> {
    let mut keys: Vec<&'static str> = columns.iter().flat_map(|column| column.values.keys().copied()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.retain(|key| columns.iter().any(|column| column.get(key) != columns[0].get(key)));
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Verb;

    #[test]
    fn a_line_spreads_over_its_lists() {
        let list = |words: [&str; 2]| Value::List(words.map(str::to_owned).to_vec());
        let mut line =
            Settings::new(Verb::Compare).with("model", Value::Text("m".to_owned())).with("tp", Value::Count(2));
        line = line.with("gpu", list(["a", "b"]));
        let columns = spread(&line);
        let gpus: Vec<_> = columns.iter().filter_map(|column| column.text("gpu")).collect();
        assert_eq!(gpus, ["a", "b"]);
        assert_eq!(differing(&columns), ["gpu"]);
        assert_eq!(spread(&line.with("model", list(["m", "n"]))).len(), 4);
    }
}
