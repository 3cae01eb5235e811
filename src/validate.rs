//! Estimates against measured cases.
//!
//! Takes CSV files whose `line` column is a question and whose other columns say what was measured, gives for each
//! quantity how far estimates are off and how often the measured value lies in their range. With a fold to leave
//! out, the constants that the presets mark as fitted are found anew from the other folds' rows before a fold is
//! scored.

use crate::catalog::{Catalog, Constants};
use crate::estimate::{Estimate, estimate_with};
use crate::plan::choose;
use crate::request::{Request, line};
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

mod fit;
mod markdown;
pub mod quantity;
mod score;
mod serving;
mod usual;

pub use quantity::{Quantity, Row, quantities};
pub use score::{Case, Scores};

#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A column: each of its values is left out in turn when constants are fitted, then scored.
    pub leave_out: Option<String>,
    /// Fit constants to all rows and report them.
    pub fit: bool,
    /// Where to write the scores as Markdown.
    pub write: Option<PathBuf>,
}

/// Scores by quantity, and the lines that gave no answer.
#[derive(Debug, Default)]
pub struct Report {
    pub scores: Vec<Scores>,
    pub unanswered: Vec<(String, String)>,
    /// Constants as fitted, where that was asked.
    pub fitted: Vec<(String, f64)>,
}

/// A file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {fault}", path.display())]
pub struct Unreadable {
    pub path: PathBuf,
    pub fault: String,
}

/// A measured row with its question, ready to be estimated under any constants.
pub(crate) struct Prepared {
    row: Row,
    request: Request,
}

/// Answers every row of the files.
pub fn run(paths: &[PathBuf], options: &Options) -> Result<Report, Unreadable> {
    let catalog = Catalog::embedded();
    let mut report = Report::default();
    let mut cases = Vec::new();
    for path in paths {
        for row in read(path)? {
            match prepare(row, catalog) {
                Ok(Some(prepared)) => cases.push(prepared),
                Ok(None) => {}
                Err(unanswered) => report.unanswered.push(unanswered),
            }
        }
    }
    let all: Vec<&Prepared> = cases.iter().collect();
    report.scores = match &options.leave_out {
        None => score(&all, &catalog.constants),
        Some(column) => left_out(&all, column, catalog),
    };
    if let Some(page) = &options.write {
        let written = write(page, paths, &report, &all, catalog);
        written.map_err(|fault| Unreadable { path: page.clone(), fault: fault.to_string() })?;
    }
    if options.fit {
        let rows = fit::fit(&all, &catalog.constant_rows);
        report.fitted = rows
            .into_iter()
            .filter(|row| row.fitted && Some(row.value) != row.expected)
            .map(|row| (format!("{}.{}", row.of, row.name), row.value))
            .collect();
    }
    Ok(report)
}

fn read(path: &PathBuf) -> Result<Vec<Row>, Unreadable> {
    let unreadable = |fault: csv::Error| Unreadable { path: path.clone(), fault: fault.to_string() };
    let mut reader = csv::Reader::from_path(path).map_err(unreadable)?;
    let headers = reader.headers().map_err(unreadable)?.clone();
    let rows = reader.records().enumerate().map(|(at, record)| {
        let record = record.map_err(unreadable)?;
        let values = headers.iter().map(str::to_owned).zip(record.iter().map(str::to_owned)).collect();
        Ok(Row { number: at + 2, values })
    });
    rows.collect()
}

/// Writes the scores beside those with each source left out, the usual calculators' and the reasons that
/// `reasons.csv` beside the first file gives.
fn write(
    page: &Path,
    paths: &[PathBuf],
    report: &Report,
    cases: &[&Prepared],
    catalog: &'static Catalog,
) -> std::io::Result<()> {
    let reasons = paths.first().map(|path| path.with_file_name("reasons.csv")).and_then(|path| read(&path).ok());
    let reasons = reasons.unwrap_or_default().into_iter();
    let text = markdown::Page {
        scores: &report.scores,
        left_out: &left_out(cases, "group", catalog),
        usual: &usual::scores(cases),
        reasons: &reasons.filter_map(|row| Some((row.id(), row.get("reason")?.to_owned()))).collect(),
        unanswered: report.unanswered.len(),
        files: &paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
    };
    std::fs::write(page, text.text())
}

/// `None`: the row has no line or measures nothing that is estimated.
fn prepare(row: Row, catalog: &'static Catalog) -> Result<Option<Prepared>, (String, String)> {
    let Some(text) = row.get("line") else { return Ok(None) };
    if !quantities().any(|quantity| (quantity.measured)(&row).is_some()) {
        return Ok(None);
    }
    let request = line::read(text, catalog).and_then(|read| choose(&read.settings, catalog));
    match request {
        Ok(request) => Ok(Some(Prepared { row, request })),
        Err(problem) => Err((row.id(), format!("{}: {:?}", problem.message.key, problem.message.args))),
    }
}

fn score(of: &[&Prepared], constants: &Constants) -> Vec<Scores> {
    let estimates: Vec<Estimate> = of.iter().map(|case| estimate_with(&case.request, constants)).collect();
    let scores = quantities().map(|quantity| {
        let cases = of.iter().zip(&estimates).filter_map(|(case, estimate)| Case::of(quantity, &case.row, estimate));
        Scores { quantity: quantity.name, cases: cases.collect() }
    });
    scores.filter(|scores| !scores.cases.is_empty()).collect()
}

/// Every fold scored under constants fitted to the others of the same work. Rows that nothing is fitted to need none.
fn left_out(cases: &[&Prepared], column: &str, catalog: &'static Catalog) -> Vec<Scores> {
    let fits =
        |case: &&&Prepared| quantities().any(|quantity| quantity.fitted && (quantity.measured)(&case.row).is_some());
    let fitted: Vec<&Prepared> = cases.iter().filter(fits).copied().collect();
    let folds: BTreeSet<(bool, &str)> = fitted.iter().filter_map(|case| case.fold(column)).collect();
    let mut total: Vec<Scores> = Vec::new();
    for fold in folds {
        let of_work = fitted.iter().copied().filter(|case| case.request.train().is_some() == fold.0);
        let (left, kept): (Vec<&Prepared>, Vec<&Prepared>) = of_work.partition(|case| case.fold(column) == Some(fold));
        let rows = fit::fit(&kept, &catalog.constant_rows);
        let constants = Constants::of(&rows).expect("the rows are the presets'");
        for scores in score(&left, &constants) {
            match total.iter_mut().find(|other| other.quantity == scores.quantity) {
                Some(other) => other.cases.extend(scores.cases),
                None => total.push(scores),
            }
        }
    }
    total
}

impl Prepared {
    /// Which rows this one is left out with. A row without a group is of its source's.
    fn fold(&self, column: &str) -> Option<(bool, &str)> {
        let fold = match column {
            "group" => self.row.get("group").or_else(|| self.row.get("source")),
            "gpu" => self.row.get("gpu").or_else(|| self.row.get("gpu_model")),
            other => self.row.get(other),
        };
        Some((self.request.train().is_some(), fold?))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<28} {:>5} {:>8} {:>8} {:>8}", "quantity", "n", "median", "P90", "in range")?;
        for scores in &self.scores {
            writeln!(f, "{scores}")?;
        }
        for scores in &self.scores {
            writeln!(f, "\n{}, worst ten", scores.quantity)?;
            for case in scores.worst(10) {
                writeln!(f, "  {case}")?;
            }
        }
        for (name, value) in &self.fitted {
            writeln!(f, "{name} = {value:.4e}")?;
        }
        if !self.unanswered.is_empty() {
            writeln!(f, "\nunanswered: {}", self.unanswered.len())?;
            for (id, why) in self.unanswered.iter().take(10) {
                writeln!(f, "  {id}: {why}")?;
            }
        }
        Ok(())
    }
}
