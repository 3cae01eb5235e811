//! What to do about an estimate: whether it fits, what would run it best, what would make it fit.
//!
//! Takes a [`Request`] and its [`Estimate`], gives a [`Plan`] of lines that can be asked as they
//! stand. `estimate` is the only judge of what fits; this module knows no formula of its own.

use crate::catalog::{Catalog, Gpu};
use crate::estimate::{Estimate, estimate};
use crate::latest::Latest;
use crate::message::{Message, Problem};
use crate::request::{Parallel, Request, Settings, Value, Zero};
use crate::units::Bytes;
use std::sync::Arc;

mod advice;
mod bounds;
pub mod choose;
pub mod compare;
pub mod fit;
pub mod layout;
mod options;
pub mod search;
mod targets;

pub use choose::choose;
pub use compare::{Comparison, compare};
pub use fit::{Fit, FitRow, fit};
use options::Found;

/// Headroom under this share of the card is `Tight`.
pub const TIGHT: f64 = 0.05;

/// A question with everything that answers it.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub request: Request,
    pub estimate: Estimate,
    pub plan: Plan,
}

/// Planning costs milliseconds, and who changes or compares an answer asks for it again.
static LATEST: Latest<Settings, Arc<Outcome>> = Latest::new(128);

impl Outcome {
    /// Chooses what was left open, estimates and plans.
    pub fn of(settings: &Settings, catalog: &'static Catalog) -> Result<Arc<Self>, Problem> {
        if let Some(known) = LATEST.get(settings) {
            return Ok(known);
        }
        let request = choose(settings, catalog)?;
        let estimate = estimate(&request);
        let plan = plan(&request, &estimate, catalog);
        let outcome = Arc::new(Self { request, estimate, plan });
        LATEST.put(settings.clone(), outcome.clone());
        Ok(outcome)
    }

    /// What was found for a knob that was left open.
    pub fn found(&self, key: &str) -> Option<u64> {
        if key == "concurrency" {
            return self.estimate.serving.as_ref()?.max_concurrency;
        }
        let chosen = self.request.assumed.iter().find(|(assumed, _)| *assumed == key);
        chosen.and_then(|(_, value)| value.parse().ok())
    }
}

#[derive(Clone, Debug)]
pub struct Plan {
    pub verdict: Verdict,
    /// At most five, the one we would take first.
    pub options: Vec<Choice>,
    /// In the order an engineer would try them: what makes it fit where it is short, what makes room where it is tight,
    /// and where it fits what makes it faster.
    pub advice: Vec<Advice>,
    /// Targets that nothing reaches.
    pub misses: Vec<Miss>,
    /// What the options leave out, and why.
    pub notes: Vec<Message>,
}

/// Whether the fullest GPU holds its part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    Fits {
        headroom: Bytes,
    },
    /// Fits with less than [`TIGHT`] to spare.
    Tight {
        headroom: Bytes,
    },
    Short {
        by: Bytes,
    },
    /// No GPU was named.
    NoGpu,
}

/// One set-up that runs the request.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The line that runs it, every choice written out.
    pub settings: Settings,
    pub gpu: &'static Gpu,
    pub gpus: u32,
    pub nodes: u32,
    pub parallel: Parallel,
    /// Training only.
    pub zero: Option<Zero>,
    /// Knobs set beyond hardware and layout (`checkpointing=on`, `quant=awq`).
    pub changes: Vec<(&'static str, Value)>,
    /// In use on the fullest GPU.
    pub device: Bytes,
    pub headroom: Bytes,
    /// Over all GPUs: trained tokens, or output tokens served.
    pub tokens_per_s: Option<f64>,
    /// All GPUs together; absent where the price is unknown.
    pub usd_per_hour: Option<f64>,
    /// Of the whole training run, where its length is known.
    pub hours: Option<f64>,
    pub cost: Option<Cost>,
    /// What it is best at; the first option has `Merit::Taken`.
    pub merits: Vec<Merit>,
    /// One sentence why.
    pub reason: Message,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cost {
    /// USD of the whole training run.
    Run(f64),
    /// USD per million tokens: trained, or served.
    MillionTokens(f64),
}

impl Cost {
    pub const fn usd(self) -> f64 {
        match self {
            Cost::Run(usd) | Cost::MillionTokens(usd) => usd,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Merit {
    /// The one we would take.
    Taken,
    /// The fewest of the card that was named.
    FewestOfNamed,
    FewestGpus,
    CheapestPerHour,
    /// Per run, or per million tokens.
    CheapestPerWork,
    Fastest,
    /// The fewest GPUs of a class, or of the cards of a fleet one, that none of the others is of.
    SmallestOfKind,
}

/// A change that makes the request fit, or brings it nearer, or makes it faster.
#[derive(Clone, Debug)]
pub struct Advice {
    pub changes: Vec<(&'static str, Value)>,
    /// The whole line after the change.
    pub settings: Settings,
    /// On the fullest GPU; less than nothing where a faster run needs more.
    pub saves: Bytes,
    /// Time after over time before: 1.25 is a quarter slower, 0.5 twice as fast; 1 where the speed is not known.
    pub slowdown: f64,
    /// Whether the changed line fits.
    pub fits: bool,
    pub label: Message,
}

/// A target out of reach.
#[derive(Clone, Debug)]
pub struct Miss {
    pub knob: &'static str,
    /// Of a target that is a number.
    pub asked: Option<f64>,
    /// The best that anything reaches, the other targets kept.
    pub nearest: Option<f64>,
    /// The line that reaches it.
    pub settings: Settings,
    pub label: Message,
}

/// Judges the estimate and looks for what would run the request better, or at all.
pub fn plan(request: &Request, estimate: &Estimate, catalog: &'static Catalog) -> Plan {
    let verdict = verdict(request, estimate);
    let Found { options, misses, notes } = options::options(request, verdict, catalog);
    let advice = match verdict {
        Verdict::Short { .. } | Verdict::Tight { .. } => advice::advice(request, estimate, &options, catalog),
        Verdict::Fits { .. } => advice::faster(request, estimate, catalog),
        Verdict::NoGpu => vec![],
    };
    Plan { verdict, options, advice, misses, notes }
}

/// What a card has for what is needed; an engine has already asked what of it is visible.
pub fn room(request: &Request, gpu: &Gpu) -> Bytes {
    if request.train().is_some() { gpu.visible() } else { gpu.memory }
}

/// Whether what is needed fits on the card.
pub fn verdict(request: &Request, estimate: &Estimate) -> Verdict {
    let Some(gpu) = request.hardware.gpu else { return Verdict::NoGpu };
    let spare = room(request, gpu) - estimate.memory.needed;
    let starts = estimate.serving.as_ref().is_none_or(|serving| serving.starts);
    if spare.0 < 0.0 || !starts {
        Verdict::Short { by: Bytes(-spare.0).max(Bytes::ZERO) }
    } else if spare / gpu.memory < TIGHT {
        Verdict::Tight { headroom: spare }
    } else {
        Verdict::Fits { headroom: spare }
    }
}
