//! Scores as a Markdown page (`docs/ACCURACY.md`).

use super::score::{Case, Scores};
use std::collections::HashMap;
use std::fmt::Write;

/// Everything that the page shows.
pub struct Page<'a> {
    pub scores: &'a [Scores],
    /// The same rows under constants fitted without their source.
    pub left_out: &'a [Scores],
    /// The usual calculators on the rows of training memory.
    pub usual: &'a [Scores],
    /// Why a case is off, by its id.
    pub reasons: &'a HashMap<String, String>,
    pub unanswered: usize,
    pub files: &'a [String],
}

impl Page<'_> {
    pub fn text(&self) -> String {
        let mut page = String::from("# How far the estimates are off\n\n");
        let files = self.files.join(" ");
        let _ = write!(
            page,
            "Written by `headroom validate --write docs/ACCURACY.md {files}`; the cases and their sources stand in \
             those files. Errors are absolute and relative to the measured value, P90 is the error that nine cases of \
             ten stay under, and *in range* counts cases between the estimate's bounds (meant to be 80%). *Source left \
             out*: the constants that the presets mark as fitted are found anew without any row of a source before its \
             rows are scored. {} lines gave no answer.\n\n",
            self.unanswered
        );
        page += "| quantity | n | median | P90 | in range | source left out: median | P90 | in range |\n";
        page += "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";
        for scores in self.scores {
            let left = self.left_out.iter().find(|left| left.quantity == scores.quantity);
            let left = left.map_or_else(|| " | | ".to_owned(), columns);
            let _ = writeln!(page, "| {} | {} | {} | {left} |", scores.quantity, scores.cases.len(), columns(scores));
        }
        if !self.usual.is_empty() {
            page += "\nThe usual calculators on the rows of training memory:\n\n";
            page += "| rule | n | median | P90 |\n| --- | ---: | ---: | ---: |\n";
            for scores in self.usual {
                let (median, most) = (percent(scores.quantile(0.5)), percent(scores.quantile(0.9)));
                let _ = writeln!(page, "| {} | {} | {median} | {most} |", scores.quantity, scores.cases.len());
            }
        }
        page += "\n## The worst ten of each\n";
        for scores in self.scores.iter().filter(|scores| scores.quantile(0.9) > 0.001) {
            let _ = write!(page, "\n### {}\n\n", scores.quantity);
            page += "| case | off | line | why |\n| --- | ---: | --- | --- |\n";
            for case in scores.worst(10) {
                let off = 100.0 * (case.predicted / case.measured - 1.0);
                let why = self.reason(case);
                let _ = writeln!(page, "| {} | {off:+.0}% | `{}` | {why} |", case.id, case.line);
            }
        }
        page
    }

    fn reason(&self, case: &Case) -> String {
        self.reasons.get(&case.id).map(|reason| reason.replace('|', "/")).unwrap_or_default()
    }
}

fn columns(scores: &Scores) -> String {
    let inside = scores.in_range().map_or_else(String::new, percent);
    format!("{} | {} | {inside}", percent(scores.quantile(0.5)), percent(scores.quantile(0.9)))
}

fn percent(part: f64) -> String {
    format!("{:.1}%", 100.0 * part)
}
