//! Set-ups that people ran, or that died for want of memory: `tests/data/field-setups.csv`.
//!
//! A line says what its source says and no more. `measured_gib` is what the driver showed, or of `tensors` what the
//! allocator had handed out. Rows that we are known to get wrong say why in `miss`.

use headroom::catalog::Catalog;
use headroom::plan::{Outcome, Verdict};
use headroom::request::line;
use serde::Deserialize;

#[derive(Deserialize)]
struct Row {
    id: String,
    line: String,
    outcome: Fate,
    note: String,
    miss: String,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Fate {
    Ran,
    Died,
}

impl Row {
    fn is_right(&self) -> bool {
        let catalog = Catalog::embedded();
        let read = line::read(&self.line, catalog).unwrap_or_else(|problem| panic!("{}: {problem:?}", self.id));
        let answer = Outcome::of(&read.settings, catalog).unwrap_or_else(|problem| panic!("{}: {problem:?}", self.id));
        match answer.plan.verdict {
            Verdict::Fits { .. } => self.outcome == Fate::Ran,
            Verdict::Tight { .. } => self.outcome == Fate::Ran || self.note.starts_with("borderline"),
            Verdict::Short { .. } => self.outcome == Fate::Died,
            Verdict::NoGpu => false,
        }
    }
}

/// Who mends a row takes its reason out; who breaks one says why, or mends that.
#[test]
fn what_ran_fits_and_what_died_is_short() {
    let mut table = csv::Reader::from_reader(include_str!("../data/field-setups.csv").as_bytes());
    let rows: Vec<Row> = table.deserialize().collect::<Result<_, _>>().expect("rows of the table");
    let changed = rows.iter().filter(|row| row.is_right() != row.miss.is_empty()).map(|row| &*row.id);
    assert_eq!(changed.collect::<Vec<_>>(), [""; 0]);
    for (work, least) in [("train ", 0.85), ("infer ", 0.9)] {
        let of_kind: Vec<_> = rows.iter().filter(|row| row.line.starts_with(work)).collect();
        let right = of_kind.iter().filter(|row| row.miss.is_empty()).count();
        assert!(right as f64 >= least * of_kind.len() as f64, "{work}{right} of {}", of_kind.len());
    }
}
