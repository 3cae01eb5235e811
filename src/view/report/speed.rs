//! Speed, time, cost and capacity, in the order one asks for them.

use super::words::{usd_per_hour, with_range};
use crate::estimate::{self, Estimate, Limit, Ranged, Serving, Speed, Time};
use crate::msg;
use crate::request::{Concurrency, Infer, Request};
use crate::text::{self, Locale, number, percent, say, tr};
use crate::units::Seconds;
use crate::view::{Cell, Row, Table, View};

/// Speed, time, cost, capacity, and what limits them.
pub(super) fn add(view: View, request: &Request, estimate: &Estimate) -> View {
    let locale = view.locale;
    let mut view = view;
    if let Some(time) = &estimate.time {
        view = view
            .section(tr(locale, "heading-speed"), training_speed(locale, request, time))
            .section(tr(locale, "heading-time"), training_time(locale, request, time));
    }
    if let (Some(serving), Some(infer)) = (&estimate.serving, request.infer()) {
        view = view.section(tr(locale, "heading-capacity"), capacity(locale, serving));
        if let Some(speed) = &serving.speed {
            view = view
                .section(tr(locale, "heading-speed"), serving_speed(locale, request, infer, speed))
                .section(tr(locale, "heading-cost"), serving_cost(locale, request, speed));
        }
        if let Some(limit) = serving.limit {
            view = view.section(tr(locale, "heading-limit"), tr(locale, limit_key(limit)).into_owned());
        }
        view = view.section(tr(locale, "heading-knee"), knee(locale, request));
    }
    if estimate.memory.host.0 > 0.0 {
        view = view.section(tr(locale, "heading-host"), text::bytes(estimate.memory.host));
    }
    view
}

fn training_speed(locale: Locale, request: &Request, time: &Time) -> String {
    let mut words = vec![with_range(format!("{} tok/s", number(time.tokens_per_s)), time.low, time.high)];
    if request.hardware.gpus > 1 {
        words.push(say(locale, &msg!("speed-per-gpu", speed = time.tokens_per_s_per_gpu)));
    }
    if time.mfu > 0.0 {
        words.push(format!("MFU {}", percent(time.mfu)));
    }
    words.join(" · ")
}

fn training_time(locale: Locale, request: &Request, time: &Time) -> String {
    let (Some(total), Some(gpu_hours)) = (time.total, time.gpu_hours) else {
        return say(locale, &msg!("time-step", step = time.step));
    };
    let tokens = request.train().and_then(|train| train.tokens).unwrap_or_default();
    let mut words = vec![
        say(locale, &msg!("time-total", tokens = tokens as f64, total = total)),
        say(locale, &msg!("time-gpu-hours", hours = gpu_hours)),
    ];
    if let Some(usd) = usd_per_hour(request) {
        words.push(say(locale, &msg!("about-money", usd = text::money(usd * total.0 / 3600.0))));
    }
    if let Some((low, high)) = time.goodput_total {
        words.push(say(locale, &msg!("time-goodput", total = text::durations(locale, low, high))));
    }
    words.join(" · ")
}

fn capacity(locale: Locale, serving: &Serving) -> String {
    let mut words = Vec::new();
    if let Some(requests) = serving.max_concurrency {
        words.push(say(locale, &msg!("capacity-requests", requests = requests, seq = serving.request_tokens)));
    }
    if let Some(tokens) = serving.kv_tokens {
        words.push(say(locale, &msg!("capacity-tokens", tokens = tokens as f64)));
    }
    if let Some(seq) = serving.max_seq {
        words.push(say(locale, &msg!("capacity-longest", seq = seq)));
    }
    words.join(" · ")
}

fn serving_speed(locale: Locale, request: &Request, infer: &Infer, speed: &Speed) -> String {
    let latency = |ms: Ranged| {
        let (unit, name) = text::time_unit(Seconds(ms.value * 1e-3));
        let [value, low, high] = [ms.value, ms.low, ms.high].map(|ms| ms * 1e-3 / unit);
        with_range(format!("{} {}", number(value), tr(locale, name)), low, high)
    };
    let all = with_range(
        format!("{} tok/s", number(speed.tokens_per_s.value)),
        speed.tokens_per_s.low,
        speed.tokens_per_s.high,
    );
    let mut words = vec![
        say(locale, &msg!("speed-first-token", time = latency(speed.ttft_ms))),
        say(locale, &msg!("speed-each-token", time = latency(speed.tpot_ms))),
        all,
    ];
    if request.hardware.gpus > 1 {
        words.push(say(locale, &msg!("speed-per-gpu", speed = speed.tokens_per_s_per_gpu)));
    }
    match infer.concurrency {
        Concurrency::Requests(requests) => words.push(say(locale, &msg!("speed-at", requests = requests))),
        Concurrency::Max => words.push(tr(locale, "speed-at-most").into_owned()),
    }
    words.join(" · ")
}

fn serving_cost(locale: Locale, request: &Request, speed: &Speed) -> String {
    let Some(usd) = usd_per_hour(request) else { return String::new() };
    let tokens_per_hour = speed.tokens_per_s.value * 3600.0;
    let per_hour = say(locale, &msg!("money-per-hour", usd = text::money(usd)));
    match tokens_per_hour > 0.0 {
        true => {
            let million = text::money(usd / tokens_per_hour * 1e6);
            format!("{per_hour} · {}", say(locale, &msg!("money-per-million", usd = million)))
        }
        false => per_hour,
    }
}

fn knee(locale: Locale, request: &Request) -> Table {
    let rows = estimate::knee(request).into_iter().map(|point| {
        Row::new([
            Cell::number(text::count(point.requests)),
            Cell::number(format!("{} ms", number(point.tpot_ms))),
            Cell::number(number(point.tokens_per_s)),
        ])
    });
    let header = ["column-requests", "column-tpot", "column-tokens"];
    Table { header: header.map(|key| tr(locale, key).into_owned()).to_vec(), rows: rows.collect() }
}

const fn limit_key(limit: Limit) -> &'static str {
    match limit {
        Limit::Host => "limit-host",
        Limit::Weights => "limit-weights",
        Limit::KvCache => "limit-kv-cache",
        Limit::Bandwidth => "limit-bandwidth",
        Limit::Compute => "limit-compute",
        Limit::Launch => "limit-launch",
        Limit::Communication => "limit-communication",
    }
}
