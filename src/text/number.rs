//! Quantities as people write them: three digits that matter, and a unit.

use super::{Locale, tr};
use crate::units::{Bytes, BytesPerSec, Flops, FlopsPerSec, Seconds};

/// A whole number in full, grouped from five digits on: `8192`, `32,768`.
pub fn count(n: u64) -> String {
    if n < 10_000 { n.to_string() } else { grouped(n) }
}

fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A length in tokens as people say it: `32k`, `1M`, `1000`.
pub fn length(tokens: u64) -> String {
    const K: u64 = 1024;
    match tokens {
        0 => "0".to_owned(),
        n if n.is_multiple_of(K * K) => format!("{}M", n / (K * K)),
        n if n.is_multiple_of(K) => format!("{}k", n / K),
        n => count(n),
    }
}

/// The three digits that matter: `0.044`, `7.5`, `141`, `3,900`, `31.2k`, `8.03B`.
pub fn number(x: f64) -> String {
    // From where the next smaller unit would show four digits.
    const LARGE: [(f64, f64, &str); 4] =
        [(999.5e9, 1e12, "T"), (999.5e6, 1e9, "B"), (999.5e3, 1e6, "M"), (9995.0, 1e3, "k")];
    match LARGE.into_iter().find(|(from, ..)| x.abs() >= *from) {
        Some((_, scale, suffix)) if x.abs() < 999.5e12 => three_digits(x / scale) + suffix,
        Some(_) => format!("{x:.2e}"),
        None => three_digits(x),
    }
}

/// Three digits of a number below 10,000, trailing zeros left out.
fn three_digits(x: f64) -> String {
    let decimals = match x.abs() {
        size if size >= 999.5 => {
            let digits = grouped(((size / 10.0).round() * 10.0) as u64);
            return if x < 0.0 { format!("-{digits}") } else { digits };
        }
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.9995 => 2,
        size if size >= 0.09995 => 3,
        size if size >= 0.009995 => 4,
        size if size >= 0.0009995 => 5,
        size if size >= 0.0001 => 6,
        0.0 => return "0".to_owned(),
        _ => return format!("{x:.2e}"),
    };
    let mut text = format!("{x:.decimals$}");
    if decimals > 0 {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    text
}

/// A value over the largest unit that leaves it at 1 or more, the units from small to large.
fn scaled(x: f64, step: f64, units: &[&str]) -> String {
    let (mut x, mut at) = (x, 0);
    // 999.5 of 1000 would show as one of the next.
    while x.abs() >= step * 0.9995 && at + 1 < units.len() {
        x /= step;
        at += 1;
    }
    format!("{} {}", number(x), units[at])
}

/// `7.5 GiB`.
pub fn bytes(size: Bytes) -> String {
    scaled(size.0, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB", "PiB"])
}

/// `3.35 TB/s`.
pub fn bandwidth(rate: BytesPerSec) -> String {
    scaled(rate.0 / 1e9, 1000.0, &["GB/s", "TB/s", "PB/s"])
}

/// `989 TFLOPS`.
pub fn flops_rate(rate: FlopsPerSec) -> String {
    scaled(rate.0 / 1e9, 1000.0, &["GFLOPS", "TFLOPS", "PFLOPS", "EFLOPS"])
}

/// `48.2 GFLOP`.
pub fn flops(work: Flops) -> String {
    scaled(work.0 / 1e6, 1000.0, &["MFLOP", "GFLOP", "TFLOP", "PFLOP", "EFLOP", "ZFLOP", "YFLOP"])
}

/// `$140`, `$31.2k`, and with cents below ten: `$2.10`.
pub fn money(usd: f64) -> String {
    match usd {
        usd if (0.01..9.995).contains(&usd) => format!("${usd:.2}"),
        usd => format!("${}", number(usd)),
    }
}

/// `44%`, and `0.4%` where one digit would hide it.
pub fn percent(share: f64) -> String {
    let points = share * 100.0;
    match points.abs() {
        size if (0.05..0.95).contains(&size) => format!("{points:.1}%"),
        _ => format!("{points:.0}%"),
    }
}

/// `24 ms`, `8.9 h`, `12 days`; `8.9 小时`, `12 天`.
pub fn duration(locale: Locale, time: Seconds) -> String {
    let (unit, key) = time_unit(time);
    format!("{} {}", number(time.0 / unit), tr(locale, key))
}

/// `9.3–12 h`: both in the unit of the longer.
pub fn durations(locale: Locale, from: Seconds, to: Seconds) -> String {
    let (unit, key) = time_unit(to);
    format!("{}–{} {}", number(from.0 / unit), number(to.0 / unit), tr(locale, key))
}

/// The unit a duration is said in: its seconds and its name.
pub fn time_unit(time: Seconds) -> (f64, &'static str) {
    const MINUTE: f64 = 60.0;
    const HOUR: f64 = 60.0 * MINUTE;
    const DAY: f64 = 24.0 * HOUR;
    const YEAR: f64 = 365.25 * DAY;
    match time.0.abs() {
        size if size < 1e-3 => (1e-6, "unit-microseconds"),
        size if size < 1.0 => (1e-3, "unit-milliseconds"),
        size if size < 2.0 * MINUTE => (1.0, "unit-seconds"),
        size if size < 2.0 * HOUR => (MINUTE, "unit-minutes"),
        size if size < 2.0 * DAY => (HOUR, "unit-hours"),
        size if size < 2.0 * YEAR => (DAY, "unit-days"),
        _ => (YEAR, "unit-years"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{GIB, MIB};

    #[test]
    fn numbers_show_three_digits() {
        let rows = [
            (0.0, "0"),
            (0.0441, "0.0441"),
            (7.5, "7.5"),
            (7.0, "7"),
            (51.23, "51.2"),
            (140.9, "141"),
            (999.7, "1,000"),
            (3897.0, "3,900"),
            (9996.0, "10k"),
            (31_234.0, "31.2k"),
            (8.03e9, "8.03B"),
            (1.26e13, "12.6T"),
            (-2.5, "-2.5"),
            (-1310.0, "-1,310"),
        ];
        for (x, expect) in rows {
            assert_eq!(number(x), expect, "{x}");
        }
        for odd in [f64::NAN, f64::INFINITY, 1e300, 1e-300, f64::MIN_POSITIVE] {
            assert!(number(odd).len() < 12, "{odd}");
        }
    }

    #[test]
    fn sizes_rates_money_and_durations_carry_their_unit() {
        assert_eq!(bytes(Bytes(7.5 * GIB)), "7.5 GiB");
        assert_eq!(bytes(Bytes(1010.0 * MIB)), "1,010 MiB");
        assert_eq!(bytes(Bytes(131_072.0)), "128 KiB");
        assert_eq!(bandwidth(BytesPerSec(3.35e12)), "3.35 TB/s");
        assert_eq!(flops_rate(FlopsPerSec(989.4e12)), "989 TFLOPS");
        assert_eq!(money(140.2), "$140");
        assert_eq!(money(2.1), "$2.10");
        assert_eq!(money(0.0042), "$0.0042");
        assert_eq!(percent(0.004), "0.4%");
        assert_eq!(percent(0.44), "44%");
        let rows = [
            (0.024, "24 ms", "24 ms"),
            (45.0 * 60.0, "45 min", "45 分钟"),
            (8.9 * 3600.0, "8.9 h", "8.9 小时"),
            (12.0 * 86400.0, "12 days", "12 天"),
        ];
        for (seconds, en, zh) in rows {
            assert_eq!(duration(Locale::En, Seconds(seconds)), en);
            assert_eq!(duration(Locale::ZhCn, Seconds(seconds)), zh);
        }
        assert_eq!(durations(Locale::En, Seconds(5400.0), Seconds(9000.0)), "1.5–2.5 h");
    }

    #[test]
    fn lengths_read_as_people_say_them() {
        assert_eq!(length(32_768), "32k");
        assert_eq!(length(1_048_576), "1M");
        assert_eq!(length(1000), "1000");
    }

    #[test]
    fn counts_are_exact() {
        assert_eq!(count(8192), "8192");
        assert_eq!(count(32_768), "32,768");
        assert_eq!(count(1_000_000), "1,000,000");
    }
}
