//! Constants that are found from measured cases.
//!
//! The most likely ones, where an estimate's logarithm is off by an error that is Laplace-distributed but for the
//! smallest, and a constant by a normally distributed one around what one would expect of it without measurements:
//! least `Σ 2(√(1 + r²) - 1) + Σ ((ln value - ln expected) / spread)²`, `r = ln(estimate / measured) / b`. Found by
//! Gauss-Newton steps on the reweighted residuals, damped as Levenberg 1944 and Marquardt 1963 do.

use super::quantity::quantities;
use super::{Case, Prepared};
use crate::catalog::Constants;
use crate::catalog::constant::Constant;
use crate::estimate::estimate_with;

/// Usual error `b` of an estimate, of its logarithm.
const USUAL_ERROR: f64 = 0.1;
/// Step of the numerical derivative, of a constant's logarithm.
const NUDGE: f64 = 1e-4;
/// Cases that make a range half as doubtful as all of them would.
const MANY: f64 = 20.0;
/// No step moves a constant by more, of its logarithm.
const LONGEST: f64 = 0.7;

/// The rows with fitted constants at their best for the cases; what no case depends on is as expected, and what
/// few depend on nearly as doubtful as anything unmeasured.
pub fn fit(cases: &[&Prepared], rows: &[Constant]) -> Vec<Constant> {
    let fitted: Vec<usize> = (0..rows.len()).filter(|at| rows[*at].fitted).collect();
    let with = |axes: &[usize], logarithms: &[f64]| {
        let mut changed = rows.to_vec();
        for (at, logarithm) in axes.iter().zip(logarithms) {
            changed[*at].value = logarithm.exp();
        }
        changed
    };
    let errors = |axes: &[usize], point: &[f64]| {
        errors(cases, &Constants::of(&with(axes, point)).expect("the rows are the presets'"))
    };
    let start = |at: &usize| rows[*at].expected.unwrap_or(rows[*at].value).ln();
    let plain = errors(&[], &[]);
    let axes: Vec<usize> =
        fitted.into_iter().filter(|at| errors(&[*at], &[rows[*at].value.ln() + 0.3]) != plain).collect();
    let point: Vec<f64> = axes.iter().map(start).collect();
    let priors: Vec<(f64, f64)> =
        axes.iter().map(|at| (start(at), rows[*at].spread.unwrap_or(f64::INFINITY))).collect();
    let mut found = with(&axes, &descend(point, &priors, |point| errors(&axes, point)));
    for (at, row) in found.iter_mut().enumerate().filter(|(at, row)| row.fitted && !axes.contains(at)) {
        row.value = rows[at].expected.unwrap_or(row.value);
    }
    let ranges = |rows: &[Constant]| ranges(cases, &Constants::of(rows).expect("the rows are the presets'"));
    let measured = ranges(rows);
    for at in (0..rows.len()).filter(|at| rows[*at].name == "doubt" && rows[*at].of.contains('.')) {
        let mut doubted = rows.to_vec();
        doubted[at].value *= 2.0;
        let family = rows[at].of.split('.').next();
        let whole = rows.iter().find(|row| Some(&*row.of) == family && row.name == "doubt");
        let evidence = ranges(&doubted).iter().zip(&measured).filter(|(a, b)| a != b).count() as f64;
        // With so many cases in hand the doubt of none weighs as much as that of all.
        let unknown = MANY / (MANY + evidence);
        let without = whole.map_or(rows[at].value, |row| row.value);
        found[at].value = rows[at].value.powf(1.0 - unknown) * without.powf(unknown);
    }
    found
}

/// Of every case the quantities that are fitted.
fn ranges(cases: &[&Prepared], constants: &Constants) -> Vec<Vec<Option<(f64, f64)>>> {
    let ranges = |case: &&Prepared| {
        let estimate = estimate_with(&case.request, constants);
        quantities().map(|quantity| (quantity.range)(&estimate, &case.row)).collect()
    };
    cases.iter().map(ranges).collect()
}

/// `ln(estimate / measured) / b` of every fitted quantity of every case.
fn errors(cases: &[&Prepared], constants: &Constants) -> Vec<f64> {
    let mut errors = Vec::new();
    for case in cases {
        let estimate = estimate_with(&case.request, constants);
        let fitted = quantities().filter(|quantity| quantity.fitted);
        let scored = fitted.filter_map(|quantity| Case::of(quantity, &case.row, &estimate));
        errors.extend(scored.map(|case| (case.predicted / case.measured).ln() / USUAL_ERROR));
    }
    errors
}

/// The lowest point of the robust errors and the priors (expected value and spread of each axis).
fn descend(mut point: Vec<f64>, priors: &[(f64, f64)], of: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    let cost = |point: &[f64], errors: &[f64]| -> f64 {
        let surprise = point.iter().zip(priors).map(|(at, (expected, spread))| ((at - expected) / spread).powi(2));
        errors.iter().map(|r| 2.0 * ((1.0 + r * r).sqrt() - 1.0)).sum::<f64>() + surprise.sum::<f64>()
    };
    let mut errors = of(&point);
    let mut lowest = cost(&point, &errors);
    let mut damping = 1e-2;
    for _ in 0..40 {
        let columns: Vec<Vec<f64>> = (0..point.len())
            .map(|axis| {
                let mut nudged = point.clone();
                nudged[axis] += NUDGE;
                of(&nudged).iter().zip(&errors).map(|(moved, still)| (moved - still) / NUDGE).collect()
            })
            .collect();
        let weights: Vec<f64> = errors.iter().map(|r| 1.0 / (1.0 + r * r).sqrt()).collect();
        let product =
            |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).zip(&weights).map(|((a, b), w)| a * b * w).sum() };
        let before = lowest;
        while damping < 1e6 {
            let equations = (0..point.len()).map(|row| {
                let (expected, spread) = priors[row];
                let mut equation: Vec<f64> = columns.iter().map(|column| product(&columns[row], column)).collect();
                equation[row] = (equation[row] + spread.powi(-2)) * (1.0 + damping);
                equation.push(-product(&columns[row], &errors) - (point[row] - expected) / spread.powi(2));
                equation
            });
            let step = solve(equations.collect());
            let moved: Vec<f64> = point.iter().zip(&step).map(|(at, by)| at + by.clamp(-LONGEST, LONGEST)).collect();
            let found = of(&moved);
            let value = cost(&moved, &found);
            if value < lowest {
                (point, errors, lowest, damping) = (moved, found, value, damping * 0.3);
                break;
            }
            damping *= 4.0;
        }
        if before - lowest < 1e-4 * before {
            break;
        }
    }
    point
}

/// Solves linear equations, each its coefficients and then its right side, by elimination of the largest first.
fn solve(mut equations: Vec<Vec<f64>>) -> Vec<f64> {
    let count = equations.len();
    for at in 0..count {
        let largest = (at..count).max_by(|a, b| equations[*a][at].abs().total_cmp(&equations[*b][at].abs()));
        equations.swap(at, largest.unwrap_or(at));
        let (above, below) = equations.split_at_mut(at + 1);
        let pivot = &above[at];
        for equation in below {
            let factor = equation[at] / pivot[at];
            for (value, of_pivot) in equation.iter_mut().zip(pivot) {
                *value -= factor * of_pivot;
            }
        }
    }
    let mut solution = vec![0.0; count];
    for at in (0..count).rev() {
        let known: f64 = (at + 1..count).map(|other| equations[at][other] * solution[other]).sum();
        solution[at] = (equations[at][count] - known) / equations[at][at];
    }
    solution
}

#[cfg(test)]
mod tests {
    use super::{descend, solve};

    #[test]
    fn equations_are_solved() {
        // x + y = 3, 2x - y = 0.
        assert_eq!(solve(vec![vec![1.0, 1.0, 3.0], vec![2.0, -1.0, 0.0]]), [1.0, 2.0]);
    }

    #[test]
    fn the_most_likely_point_balances_cases_and_expectation() {
        let free = (0.0, f64::INFINITY);
        let found = descend(vec![0.0, 0.0], &[free, free], |p| vec![p[0] - 1.0, 10.0 * (p[1] + 2.0)]);
        assert!((found[0] - 1.0).abs() < 0.01 && (found[1] + 2.0).abs() < 0.01, "{found:?}");
        // One small error of weight 1 against an expectation of 0 with spread 1: half way.
        let found = descend(vec![0.0], &[(0.0, 1.0)], |p| vec![p[0] - 0.02]);
        assert!((found[0] - 0.01).abs() < 0.001, "{found:?}");
    }
}
