//! Constants that are found from measured cases.
//!
//! Minimises the mean absolute logarithm of estimate over measurement, over the logarithms of the constants that the
//! presets mark as fitted, by the simplex of Nelder and Mead 1965, "A simplex method for function minimization".

use super::quantity::QUANTITIES;
use super::{Case, Prepared};
use crate::catalog::Constants;
use crate::catalog::constant::Constant;
use crate::estimate::estimate_with;

/// The rows with fitted constants at their best for the cases.
pub fn fit(cases: &[&Prepared], rows: &[Constant]) -> Vec<Constant> {
    let fitted: Vec<usize> = (0..rows.len()).filter(|at| rows[*at].fitted).collect();
    let with = |logarithms: &[f64]| {
        let mut changed = rows.to_vec();
        for (at, logarithm) in fitted.iter().zip(logarithms) {
            changed[*at].value = logarithm.exp();
        }
        changed
    };
    let loss_at = |point: &[f64]| loss(cases, &Constants::of(&with(point)).expect("the rows are the presets'"));
    let start: Vec<f64> = fitted.iter().map(|at| rows[*at].value.ln()).collect();
    with(&simplex(&start, 0.5, 150 * start.len(), loss_at))
}

fn loss(cases: &[&Prepared], constants: &Constants) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for case in cases {
        let estimate = estimate_with(&case.request, constants);
        for quantity in QUANTITIES.iter().filter(|quantity| !quantity.constants.is_empty()) {
            if let Some(case) = Case::of(quantity, &case.row, &estimate) {
                sum += (case.predicted / case.measured).ln().abs();
                count += 1.0;
            }
        }
    }
    sum / f64::max(count, 1.0)
}

/// The best point that a simplex of this size around `start` reaches in so many evaluations.
fn simplex(start: &[f64], size: f64, evaluations: usize, mut of: impl FnMut(&[f64]) -> f64) -> Vec<f64> {
    let mut corners: Vec<(f64, Vec<f64>)> = vec![(of(start), start.to_vec())];
    for axis in 0..start.len() {
        let mut corner = start.to_vec();
        corner[axis] += size;
        corners.push((of(&corner), corner));
    }
    let along = |from: &[f64], to: &[f64], by: f64| -> Vec<f64> {
        from.iter().zip(to).map(|(from, to)| from + by * (to - from)).collect()
    };
    let mut left = evaluations.saturating_sub(corners.len());
    while left > 0 && start.len() > 0 {
        corners.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (worst, rest) = corners.split_last().expect("a simplex has corners");
        let middle: Vec<f64> =
            (0..start.len()).map(|axis| rest.iter().map(|c| c.1[axis]).sum::<f64>() / rest.len() as f64).collect();
        let mut attempt = |by: f64| {
            let point = along(&worst.1, &middle, by);
            (of(&point), point)
        };
        let reflected = attempt(2.0);
        let next = if reflected.0 < corners[0].0 {
            let expanded = attempt(3.0);
            left = left.saturating_sub(2);
            if expanded.0 < reflected.0 { expanded } else { reflected }
        } else if reflected.0 < rest[rest.len() - 1].0 {
            left -= 1;
            reflected
        } else {
            left = left.saturating_sub(2);
            let inside = attempt(0.5);
            if inside.0 < worst.0 { inside } else { (f64::INFINITY, vec![]) }
        };
        if next.0.is_finite() {
            *corners.last_mut().expect("a simplex has corners") = next;
        } else {
            let best = corners[0].1.clone();
            for corner in &mut corners[1..] {
                corner.1 = along(&corner.1, &best, 0.5);
                corner.0 = of(&corner.1);
            }
            left = left.saturating_sub(start.len());
        }
    }
    corners.into_iter().min_by(|a, b| a.0.total_cmp(&b.0)).map(|corner| corner.1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::simplex;

    #[test]
    fn a_simplex_finds_the_bottom_of_a_valley() {
        // Minimum of (x - 1)² + 10 (y + 2)² at (1, -2).
        let found = simplex(&[0.0, 0.0], 0.5, 400, |p| (p[0] - 1.0).powi(2) + 10.0 * (p[1] + 2.0).powi(2));
        assert!((found[0] - 1.0).abs() < 1e-3 && (found[1] + 2.0).abs() < 1e-3, "{found:?}");
    }
}
