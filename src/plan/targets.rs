//! What a recommendation must meet.

use super::search::Setup;
use crate::catalog::Gpu;
use crate::catalog::gpu::{Class, Vendor};
use crate::request::Request;

/// Targets met by a number that a set-up has.
pub const NUMBERS: [&str; 6] = ["ttft", "tpot", "tokens_per_s", "deadline", "budget", "max_gpus"];

/// Hours that a run may take where no deadline was given: Llama 3 405B took 54 days, DeepSeek-V3 two months, BLOOM 118
/// days.
pub const PATIENCE: f64 = 120.0 * 24.0;

#[derive(Clone, Debug, Default)]
pub struct Targets {
    /// Knob and bound, of [`NUMBERS`].
    numbers: Vec<(&'static str, f64)>,
    vendor: Option<&'static str>,
    class: Option<&'static str>,
    /// GPU id and how many are owned.
    fleet: Vec<(String, u32)>,
    /// Requests to be held at once, none of them waiting for the cache.
    held: Option<f64>,
    /// Hours of a run whose length is known, where no deadline was given.
    patience: Option<f64>,
}

impl Targets {
    pub fn of(request: &Request) -> Self {
        let settings = &request.settings;
        let run = request.train().is_some_and(|train| train.tokens.is_some());
        let judged = |key: &&str| *key != "deadline" || run;
        let numbers = NUMBERS.into_iter().filter(judged).filter_map(|key| Some((key, settings.number(key)?)));
        let owned = |item: &String| {
            let (count, id) = item.split_once('x')?;
            Some((id.to_owned(), count.parse().ok()?))
        };
        Self {
            numbers: numbers.collect(),
            vendor: settings.choice("vendor"),
            class: settings.choice("class"),
            fleet: settings.texts("fleet").iter().filter_map(owned).collect(),
            held: settings.number("concurrency"),
            patience: (run && settings.get("deadline").is_none()).then_some(PATIENCE),
        }
    }
    /// Wishes that are given up before a target is.
    pub fn soft(&self) -> impl Iterator<Item = &'static str> {
        let given = [("concurrency", self.held.is_some()), ("deadline", self.patience.is_some())];
        given.into_iter().filter_map(|(key, given)| given.then_some(key))
    }
    /// Whether no request may wait for the cache.
    pub fn hold_all(&self) -> bool {
        self.held.is_some()
    }
    /// GPU ids and how many are owned.
    pub fn fleet(&self) -> &[(String, u32)] {
        &self.fleet
    }
    /// Whether so many of these GPUs may be taken at all.
    pub fn admit(&self, gpu: &Gpu, gpus: u32) -> bool {
        let owned = |(id, count): &(String, u32)| *id == gpu.id && gpus <= *count;
        self.vendor.is_none_or(|vendor| vendor == word_of_vendor(gpu.vendor))
            && self.class.is_none_or(|class| class == word_of_class(gpu.class))
            && (self.fleet.is_empty() || self.fleet.iter().any(owned))
            && self.bound("max_gpus").is_none_or(|most| f64::from(gpus) <= most)
    }
    /// How many of a GPU are owned, where a fleet was given.
    pub fn owned(&self, gpu: &Gpu) -> Option<u32> {
        self.fleet.iter().find(|(id, _)| *id == gpu.id).map(|(_, count)| *count)
    }
    pub fn bound(&self, key: &str) -> Option<f64> {
        self.numbers.iter().find(|(asked, _)| *asked == key).map(|(_, bound)| *bound)
    }
    pub fn numbers(&self) -> impl Iterator<Item = (&'static str, f64)> {
        self.numbers.iter().copied()
    }
    /// Targets that say which GPUs may be taken, of those that were given.
    pub fn words(&self) -> impl Iterator<Item = &'static str> {
        let given =
            [("vendor", self.vendor.is_some()), ("class", self.class.is_some()), ("fleet", !self.fleet.is_empty())];
        given.into_iter().filter_map(|(key, given)| given.then_some(key))
    }
    /// These targets with one left out.
    pub fn without(&self, key: &str) -> Self {
        Self {
            numbers: self.numbers().filter(|(asked, _)| *asked != key).collect(),
            vendor: self.vendor.filter(|_| key != "vendor"),
            class: self.class.filter(|_| key != "class"),
            fleet: if key == "fleet" { vec![] } else { self.fleet.clone() },
            held: self.held.filter(|_| key != "concurrency"),
            patience: self.patience.filter(|_| key != "deadline"),
        }
    }
    /// Whether what a cluster comes to at best reaches every number.
    pub fn may_be_met(&self, at_best: impl Fn(&str) -> Option<f64>) -> bool {
        self.bounds().all(|(key, bound)| at_best(key).is_some_and(|value| reaches(key, value, bound)))
    }
    fn bounds(&self) -> impl Iterator<Item = (&'static str, f64)> {
        self.numbers().chain(self.patience.map(|hours| ("deadline", hours)))
    }
    /// Whether a set-up reaches every target; an unknown number reaches none.
    pub fn met(&self, setup: &Setup) -> bool {
        let held = self.held.is_none_or(|asked| setup.held.is_none_or(|held| held as f64 >= asked));
        held && self.bounds().all(|(key, bound)| value(key, setup).is_some_and(|value| reaches(key, value, bound)))
    }
}

/// More is better for throughput, less for every other target.
pub fn reaches(key: &str, value: f64, bound: f64) -> bool {
    if key == "tokens_per_s" { value >= bound } else { value <= bound }
}

/// The number of a set-up that a target is about: ms, tokens/s, hours, USD (of the run, else per hour), GPUs.
pub fn value(key: &str, setup: &Setup) -> Option<f64> {
    match key {
        "ttft" => setup.ttft_ms,
        "tpot" => setup.tpot_ms,
        "tokens_per_s" => setup.tokens_per_s,
        "deadline" => setup.hours,
        "budget" => setup.hours.map_or(setup.usd_per_hour, |hours| Some(setup.usd_per_hour? * hours)),
        _ => Some(setup.cluster.gpus.into()),
    }
}

const fn word_of_vendor(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Nvidia => "nvidia",
        Vendor::Amd => "amd",
        Vendor::Intel => "intel",
        Vendor::Apple => "apple",
        Vendor::Huawei => "huawei",
        Vendor::Google => "google",
        Vendor::Aws => "aws",
        Vendor::Cambricon => "cambricon",
        Vendor::Hygon => "hygon",
        Vendor::Baidu => "baidu",
        Vendor::MooreThreads => "moorethreads",
        Vendor::MetaX => "metax",
        Vendor::Iluvatar => "iluvatar",
        Vendor::Biren => "biren",
        Vendor::Enflame => "enflame",
        Vendor::THead => "thead",
    }
}

const fn word_of_class(class: Class) -> &'static str {
    match class {
        Class::Datacenter => "datacenter",
        Class::Workstation => "workstation",
        Class::Consumer => "consumer",
        Class::Cloud => "cloud",
        Class::Unified => "unified",
    }
}
