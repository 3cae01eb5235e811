//! Constants that are found from measured cases.
//!
//! The most likely ones, where an estimate's logarithm is off by a Laplace-distributed error and a constant by a
//! normally distributed one around what one would expect of it without measurements: least
//! `Σ |ln estimate / measured| / b + Σ (ln value / expected)² / 2 spread²`, found axis by axis.

use super::quantity::quantities;
use super::{Case, Prepared};
use crate::catalog::Constants;
use crate::catalog::constant::Constant;
use crate::estimate::estimate_with;

/// Usual error of an estimate, of its logarithm.
const USUAL_ERROR: f64 = 0.1;
/// First and last step along an axis, of the logarithm.
const STEPS: (f64, f64) = (0.3, 0.01);

/// The rows with fitted constants at their best for the cases; what no case depends on stays as it is.
pub fn fit(cases: &[&Prepared], rows: &[Constant]) -> Vec<Constant> {
    let fitted: Vec<&Constant> = rows.iter().filter(|row| row.fitted).collect();
    let with = |logarithms: &[f64]| {
        let mut changed = rows.to_vec();
        for (row, logarithm) in changed.iter_mut().filter(|row| row.fitted).zip(logarithms) {
            row.value = logarithm.exp();
        }
        changed
    };
    let error = |point: &[f64]| error(cases, &Constants::of(&with(point)).expect("the rows are the presets'"));
    let surprise = |point: &[f64]| -> f64 {
        let of = |(row, logarithm): (&&Constant, &f64)| match (row.expected, row.spread) {
            (Some(expected), Some(spread)) => ((logarithm - expected.ln()) / spread).powi(2) / 2.0,
            _ => 0.0,
        };
        fitted.iter().zip(point).map(of).sum()
    };
    let start: Vec<f64> = fitted.iter().map(|row| row.expected.unwrap_or(row.value).ln()).collect();
    let plain = error(&start);
    let matters: Vec<usize> = (0..start.len())
        .filter(|axis| {
            let mut moved = start.clone();
            moved[*axis] += STEPS.0;
            error(&moved) != plain
        })
        .collect();
    let mut best = descend(&start, &matters, |point| error(point) / USUAL_ERROR + surprise(point));
    for (axis, row) in fitted.iter().enumerate().filter(|(axis, _)| !matters.contains(axis)) {
        best[axis] = row.value.ln();
    }
    with(&best)
}

/// Sum of absolute logarithms of estimate over measurement.
fn error(cases: &[&Prepared], constants: &Constants) -> f64 {
    let of_case = |case: &&Prepared| {
        let estimate = estimate_with(&case.request, constants);
        let fitted = quantities().filter(|quantity| quantity.fitted);
        let scored = fitted.filter_map(|quantity| Case::of(quantity, &case.row, &estimate));
        scored.map(|case| (case.predicted / case.measured).ln().abs()).sum::<f64>()
    };
    cases.iter().map(of_case).sum()
}

/// The lowest point found by steps along some axes, halved when none leads down.
fn descend(start: &[f64], axes: &[usize], of: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let mut point = start.to_vec();
    let mut lowest = of(&point);
    let mut step = STEPS.0;
    while step > STEPS.1 {
        let before = lowest;
        for axis in axes {
            for sign in [1.0, -1.0] {
                loop {
                    let mut moved = point.clone();
                    moved[*axis] += sign * step;
                    let value = of(&moved);
                    if value >= lowest {
                        break;
                    }
                    (point, lowest) = (moved, value);
                }
            }
        }
        if lowest >= before {
            step /= 2.0;
        }
    }
    point
}

#[cfg(test)]
mod tests {
    use super::descend;

    #[test]
    fn steps_along_axes_find_the_bottom_of_a_valley() {
        // Minimum of (x - 1)² + 10 (y + 2)² at (1, -2); z is left alone.
        let found = descend(&[0.0, 0.0, 7.0], &[0, 1], |p| (p[0] - 1.0).powi(2) + 10.0 * (p[1] + 2.0).powi(2));
        assert!((found[0] - 1.0).abs() < 0.02 && (found[1] + 2.0).abs() < 0.02 && found[2] == 7.0, "{found:?}");
    }
}
