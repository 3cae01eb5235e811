//! Names as people type them: every row of `tests/data/model-name-queries.csv`, further rows of our own, and any text at all.

use headroom::catalog::{Catalog, Outcome};

#[derive(serde::Deserialize)]
struct Row {
    query: String,
    #[serde(rename = "expected_hf_id_or_AMBIGUOUS_or_UNKNOWN")]
    expected: String,
    expected_quant: String,
    candidates: String,
}

fn rows() -> Vec<Row> {
    let mut reader = csv::Reader::from_path("tests/data/model-name-queries.csv").unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

/// What is wrong with the answer to a row, if anything.
fn fault(row: &Row) -> Option<String> {
    let found = Catalog::embedded().names().model(&row.query);
    let candidates: Vec<&str> = row.candidates.split('|').filter(|id| !id.is_empty()).collect();
    let id = found.id.clone().unwrap_or_default();
    let accepted = |id: &str| row.expected.eq_ignore_ascii_case(id) || candidates.contains(&id);
    let right = match row.expected.split(':').collect::<Vec<_>>()[..] {
        ["AMBIGUOUS"] => found.outcome == Outcome::Ambiguous && candidates.contains(&id.as_str()),
        ["UNKNOWN"] => found.outcome == Outcome::Unknown && found.id.is_none(),
        ["GENERIC", size] => found.outcome == Outcome::Generic && id.eq_ignore_ascii_case(size),
        _ => found.outcome == Outcome::Match && accepted(&id),
    };
    let quant = found.quant.clone().unwrap_or_default();
    let right = right && (quant == row.expected_quant || row.expected == "UNKNOWN");
    (!right).then(|| {
        format!(
            "{:?}: want {} {:?}, is {} {id} {quant:?} {:?}",
            row.query,
            row.expected,
            row.expected_quant,
            found.outcome.word(),
            found.candidates
        )
    })
}

#[test]
fn measured_names_resolve() {
    let rows = rows();
    let faults: Vec<String> = rows.iter().filter_map(fault).collect();
    let share = 1.0 - faults.len() as f64 / rows.len() as f64;
    println!("{share:.4} of {}\n{}", rows.len(), faults.join("\n"));
    assert!(share >= 0.97);
}
