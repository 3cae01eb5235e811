//! Each part's formula with the numbers put in, how sure it is, and where it is from.

use super::picture;
use super::words::{part_name, parts, title, tone, verdict};
use crate::estimate::{Basis, Part, PartKind, Term};
use crate::msg;
use crate::plan::Outcome;
use crate::request::line;
use crate::text::{self, Locale, number, say, tr};
use crate::units::Seconds;
use crate::view::{Action, Body, View};

/// The answer to `explain`, of the part that `part=` names or of all.
pub fn explain(locale: Locale, outcome: &Outcome) -> View {
    let Outcome { request, estimate, plan } = outcome;
    let only = request.settings.choice("part").and_then(part_named);
    let mut view = View::new(locale, title(locale, request))
        .tone(tone(plan.verdict))
        .verdict(verdict(locale, request, estimate, plan.verdict))
        .line(line::write(&request.settings));
    let shown = estimate.memory.parts.iter().filter(|part| only.is_none_or(|only| part.kind == only));
    let mut sources = Vec::new();
    for part in shown.filter(|part| part.bytes().0 > 0.0) {
        view = view.section(heading(locale, part), Body::List(terms(locale, part, &mut sources)));
    }
    if only.is_none() {
        view = view.section(tr(locale, "row-per-gpu"), sum(locale, outcome));
    }
    view = view
        .section("", pool(locale, outcome).unwrap_or_default())
        .section(tr(locale, "heading-compute"), compute(locale, outcome))
        .section(tr(locale, "heading-step"), Body::List(breakdown(locale, outcome)))
        .section(tr(locale, "heading-sources"), Body::Small(numbered(locale, &sources)));
    view.chart = Some(picture::curve(locale, outcome));
    view.button(tr(locale, "button-tweak"), Action::Tweak)
}

/// A part by its name in either language, or the start of it: `optimizer`, `kv`, `激活`.
fn part_named(typed: &str) -> Option<PartKind> {
    let squash = |text: &str| text.to_lowercase().replace(['_', '-', ' '], "");
    let typed = squash(typed);
    let is_named =
        |kind: &PartKind| Locale::ALL.iter().any(|locale| squash(&part_name(*locale, *kind)).starts_with(&typed));
    (!typed.is_empty()).then(|| PartKind::ALL.into_iter().find(is_named)).flatten()
}

/// `[1] source`.
fn numbered(locale: Locale, sources: &[&'static str]) -> Vec<String> {
    sources.iter().enumerate().map(|(i, source)| format!("[{}] {}", i + 1, tr(locale, source))).collect()
}

fn heading(locale: Locale, part: &Part) -> String {
    format!("{} {}", part_name(locale, part.kind), text::bytes(part.bytes()))
}

/// `layer inputs: layers 32 × s 4096 × h 4096 × 2 = 1 GiB (modelled) [1]`, the sources numbered as they come.
fn terms(locale: Locale, part: &Part, sources: &mut Vec<&'static str>) -> Vec<String> {
    let shown = part.terms.iter().filter(|term| term.bytes().0 != 0.0);
    shown
        .map(|term| {
            let number = sources.iter().position(|source| *source == term.source).unwrap_or_else(|| {
                sources.push(term.source);
                sources.len() - 1
            });
            let (name, basis) = (tr(locale, term.name), tr(locale, basis_key(term.basis)));
            let (product, bytes) = (product(locale, term), text::bytes(term.bytes()).replace('-', "−"));
            say(
                locale,
                &msg!(
                    "explain-term",
                    name = &*name,
                    product = product,
                    bytes = bytes,
                    basis = &*basis,
                    source = number + 1
                ),
            )
        })
        .collect()
}

/// `32 layers × 4096 tokens × 2`; a factor of one says nothing beside others.
fn product(locale: Locale, term: &Term) -> String {
    let says = |value: f64| value != 1.0 || term.factors.iter().all(|(_, value)| *value == 1.0);
    let factors: Vec<String> = term
        .factors
        .iter()
        .filter(|(_, value)| says(*value))
        .map(|(symbol, value)| match *symbol {
            "" => exactly(*value),
            symbol => say(locale, &msg!("explain-factor", name = &*tr(locale, symbol), value = exactly(*value))),
        })
        .collect();
    factors.join(" × ")
}

/// A factor as precise as a reader needs to multiply it again: whole from 1000 on, six digits below.
fn exactly(value: f64) -> String {
    let size = value.abs();
    let sign = if value < 0.0 { "−" } else { "" };
    if size >= 1e15 {
        return number(value);
    }
    if size >= 1000.0 || size.fract() == 0.0 {
        return format!("{sign}{}", text::count(size.round() as u64));
    }
    let decimals = (5 - size.log10().floor() as i32).clamp(0, 9) as usize;
    format!("{sign}{}", format!("{size:.decimals$}").trim_end_matches('0').trim_end_matches('.'))
}

const fn basis_key(basis: Basis) -> &'static str {
    match basis {
        Basis::Exact => "basis-exact",
        Basis::Modelled => "basis-modelled",
        Basis::Assumed => "basis-assumed",
    }
}

/// `1.87 + 3.74 + … = 51.23 GiB`.
fn sum(locale: Locale, outcome: &Outcome) -> String {
    let parts = parts(&outcome.estimate.memory);
    let steps = in_steps(&parts.iter().map(|(_, bytes)| bytes.gib()).collect::<Vec<_>>(), 0.01);
    let hundredths = |steps: i64| format!("{:.2}", steps as f64 / 100.0);
    let terms: Vec<String> = steps.iter().map(|step| hundredths(*step)).collect();
    let sum = format!("{} = {} GiB", terms.join(" + "), hundredths(steps.iter().sum()));
    match outcome.request.hardware.gpu {
        Some(gpu) => format!("{sum} {}", say(locale, &msg!("of-card", card = gpu.memory))),
        None => sum,
    }
}

/// Values in steps of `step` that add up, as shown, to their total as shown (largest remainder).
fn in_steps(values: &[f64], step: f64) -> Vec<i64> {
    let total = (values.iter().sum::<f64>() / step).round() as i64;
    let mut shown: Vec<i64> = values.iter().map(|value| (value / step).floor() as i64).collect();
    let missing = (total - shown.iter().sum::<i64>()).clamp(0, values.len() as i64) as usize;
    let mut by_remainder: Vec<usize> = (0..values.len()).collect();
    let remainder = |i: usize| (values[i] / step).fract();
    by_remainder.sort_by(|&a, &b| remainder(b).total_cmp(&remainder(a)));
    for &i in &by_remainder[..missing] {
        shown[i] += 1;
    }
    shown
}

/// What a token takes of the cache, and how many there is room for.
fn pool(locale: Locale, outcome: &Outcome) -> Option<String> {
    let serving = outcome.estimate.serving.as_ref()?;
    let tokens = serving.kv_tokens?;
    Some(say(locale, &msg!("explain-pool", bytes = serving.kv_bytes_per_token, tokens = tokens as f64)))
}

fn compute(locale: Locale, outcome: &Outcome) -> String {
    let compute = &outcome.estimate.compute;
    let per_token = text::flops(compute.flops_per_token);
    let per_step = text::flops(compute.flops_per_step);
    match outcome.request.train() {
        Some(_) => say(locale, &msg!("compute-train", token = per_token, step = per_step)),
        None => say(locale, &msg!("compute-infer", token = per_token, prompt = per_step)),
    }
}

/// Where a training step's or a decode step's time goes, the longest first.
fn breakdown(locale: Locale, outcome: &Outcome) -> Vec<String> {
    let trained = outcome.estimate.time.as_ref().map(|time| &time.breakdown);
    let served =
        outcome.estimate.serving.as_ref().and_then(|serving| serving.speed.as_ref()).map(|speed| &speed.breakdown);
    let mut steps: Vec<(&'static str, Seconds)> = trained.or(served).cloned().unwrap_or_default();
    steps.retain(|(_, time)| time.0 > 0.0);
    steps.sort_by(|a, b| b.1.0.total_cmp(&a.1.0));
    steps.iter().map(|(key, time)| format!("{} {}", tr(locale, key), text::duration(locale, *time))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_go_by_their_names_in_both_languages() {
        assert_eq!(part_named("optimizer"), Some(PartKind::Optimizer));
        assert_eq!(part_named("kv_cache"), Some(PartKind::KvCache));
        assert_eq!(part_named("激活"), Some(PartKind::Activations));
        assert_eq!(part_named("Gradient"), Some(PartKind::Gradients));
        assert_eq!(part_named("socks"), None);
        assert_eq!(part_named(""), None);
    }

    #[test]
    fn shown_parts_add_up_to_the_shown_total() {
        // 1.25 + 1.25 + 1.25 = 3.75 shows as 3.8, its parts as 1.3 + 1.3 + 1.2.
        assert_eq!(in_steps(&[1.25, 1.25, 1.25], 0.1), [13, 13, 12]);
        assert!(in_steps(&[], 0.1).is_empty());
        assert_eq!(in_steps(&[0.04, 0.04], 0.1), [1, 0]);
    }

    #[test]
    fn factors_can_be_multiplied_again() {
        assert_eq!(exactly(32.0), "32");
        assert_eq!(exactly(125_627_793.4), "125,627,793");
        assert_eq!(exactly(0.0625), "0.0625");
        assert_eq!(exactly(4.126_953), "4.12695");
        assert_eq!(exactly(-1.0), "−1");
        assert_eq!(exactly(0.0), "0");
    }
}
