//! What is not wanted, and what is wanted without saying how much.

use super::value::{off_word, values_of};
use super::{Act, Item, Listener, is_card, is_counted, time_per_token};
use crate::request::knobs::{self, Kind, Knob, Scope};
use crate::request::lexicon::Sense;
use crate::request::settings::{Bound, Value, Verb};

impl Listener {
    /// `without X`, `不用X`: off, unless X is only what another value is set against (`lora, not qlora`).
    pub(super) fn negation(&mut self) -> usize {
        let mut at = self.at + 1;
        while at < self.at + 4
            && (self.is_light(at) || self.has(at, &Sense::On) || self.has(at, &Sense::More))
            && self.knob_at(at).is_none()
        {
            at += 1;
        }
        let width = at + 1 - self.at;
        const REMOVE: &[&str] =
            &["remove", "removing", "drop", "dropping", "lose", "ditch", "minus", "去掉", "去除", "撤掉", "拿掉"];
        let counted = self.past_light(at + 1);
        if self.number_at(at).is_some() && self.knob_at(counted).is_some_and(is_counted) {
            if REMOVE.contains(&self.text(self.at)) {
                // `remove two gpus`
                self.clause.delta = Some(-1);
                return at - self.at;
            }
            // `we do not have 8 gpus`
            return counted + 1 - self.at;
        }
        match self.items.get(at).map(|piece| &piece.item) {
            // `not the 3090`, `not the 14b`
            Some(Item::Gpu(_) | Item::Model(_)) => return width,
            Some(Item::Number(amount)) if amount.unit == "b" => return width,
            _ => {}
        }
        if let Some(knob) = self.knob_at(at) {
            let numbered = self.number_at(self.past_light(at + 1)).is_some();
            let numeric = knob.is_numeric();
            let needed = matches!(knob.kind, Kind::Model(_)) && off_word(knob).is_none();
            if numeric && numbered || needed {
                return 1;
            }
            if numeric && off_word(knob).is_none() {
                return width;
            }
            // `no zero, use fsdp`: one rules out the other by itself.
            if knob.key != "zero" || !self.named_later(knobs::of("sharding"), at + 1) {
                self.turn_off(knob);
            }
            return width;
        }
        let Some(Item::Senses(senses)) = self.items.get(at).map(|piece| &piece.item) else { return 1 };
        let values = values_of(senses);
        if values.is_empty() {
            return 1;
        }
        let (knob, _) = self.prefer(&values);
        // `no fsdp` is no sharding at all, unless ZeRO is named.
        let knob = if knob.key == "sharding" { knobs::of("zero") } else { knob };
        let numbered = (at + 1..self.items.len()).any(|at| self.knob_at(at) == Some(knob));
        if !self.already(knob) && !self.named_later(knob, at + 1) && !numbered {
            self.turn_off(knob);
        }
        width
    }

    /// Whether a later word gives this knob a value.
    pub(super) fn named_later(&self, knob: &Knob, from: usize) -> bool {
        (from..self.items.len()).any(|at| self.names(at, knob.key))
    }

    /// Whether a value of this knob stands here.
    pub(super) fn names(&self, at: usize, key: &str) -> bool {
        matches!(self.items.get(at).map(|piece| &piece.item), Some(Item::Senses(senses))
            if senses.iter().any(|sense| matches!(sense, Sense::Value(knob, _) if knob.key == key)))
    }

    /// `instead of X`: X is given up, whatever it was.
    pub(super) fn dropping(&mut self) -> usize {
        let at = self.past_light(self.at + 1);
        if self.knob_at(at).is_some_and(Knob::is_numeric) && self.number_at(at + 1).is_some() {
            return at + 2 - self.at;
        }
        let taken = match self.items.get(at).map(|piece| &piece.item) {
            Some(Item::Senses(senses)) => senses.iter().any(|sense| matches!(sense, Sense::Value(..) | Sense::Bits(_))),
            Some(Item::Gpu(_) | Item::Model(_) | Item::Number(_)) => true,
            _ => false,
        };
        if taken { at + 1 - self.at } else { 1 }
    }

    /// `swap the h100s for mi300x`, but `swap to mi300x`.
    pub(super) fn swap(&mut self) -> usize {
        let mut at = self.at + 1;
        while self.has(at, &Sense::Filler) {
            at += 1;
        }
        if matches!(self.text(at + 1), "for" | "with" | "to" | "by") { self.dropping() } else { 1 }
    }

    /// `double the batch`.
    pub(super) fn scale(&mut self, by: f64) -> usize {
        let at = self.past_light(self.at + 1);
        match self.knob_at(at) {
            Some(knob) => {
                let knob = if knob.key == "gpu" { knobs::of("gpus") } else { knob };
                let width = at + 1 - self.at;
                let last = self.text(self.at).rsplit(' ').next().unwrap_or_default();
                match knob.read(&format!("{last} {}", self.text(at)), self.catalog) {
                    // `in half precision`
                    Ok(value) => self.set(knob, value),
                    Err(_) => self.act(Act::Scale(knob, by)),
                }
                width
            }
            None => {
                self.ask(&["batch", "seq", "gpus"]);
                1
            }
        }
    }

    /// `cheaper`, and of what: `a cheaper card`.
    pub(super) fn wish(&mut self, knobs: &[&'static str]) -> usize {
        let at = self.past_light(self.at + 1);
        match self.knob_at(at) {
            Some(knob) if knobs.contains(&knob.key) || knob.key == "model" => {
                self.ask(&[if knob.key == "gpus" { "gpu" } else { knob.key }]);
                at + 1 - self.at
            }
            _ => {
                self.ask(knobs);
                1
            }
        }
    }

    /// `bigger batch`, `make it smaller`.
    pub(super) fn towards(&mut self, direction: i64) -> usize {
        self.clause.direction = Some(direction);
        let at = self.past_light(self.at + 1);
        if let Some(knob) = self.knob_at(at) {
            let next = self.past_light(at + 1);
            if self.number_at(next).is_some()
                || knob.read(self.text(next), self.catalog).is_ok()
                || self.is_scale(next).is_some()
                || self.has(next, &Sense::Times)
            {
                return at - self.at;
            }
            let width = at + 1 - self.at;
            let sized = self.text(self.at).contains(['大', '小', '强'])
                || matches!(self.text(self.at), "bigger" | "smaller" | "larger");
            match knob.key {
                // `a bigger card`, but `more cards`
                "gpus" if sized => self.ask(&["gpu"]),
                key if knob.scope != Scope::Target => self.ask(&[key]),
                _ => {}
            }
            return width;
        }
        let of_memory =
            (self.at.saturating_sub(4)..self.at).any(|at| matches!(self.text(at), "memory" | "vram" | "显存" | "内存"));
        if of_memory && direction < 0 {
            self.ask(&["method", "quant", "batch", "seq"]);
            return 1;
        }
        if matches!(self.items.get(at).map(|piece| &piece.item), Some(Item::Number(_) | Item::Gpu(_) | Item::Model(_)))
        {
            return 1;
        }
        match self.text(self.at) {
            _ if !self.speech.asks.is_empty() => {}
            word if word.contains('长') || word.contains("long") || word.contains("short") || word.contains('短') => {
                self.ask(&["seq"]);
            }
            _ if direction > 0 => self.ask(&["batch", "seq", "gpus"]),
            _ => self.ask(&["batch", "seq", "model"]),
        }
        1
    }

    /// Which values a word here looks for.
    pub(super) fn sought(&self, at: usize) -> Option<&'static [Bound]> {
        match &self.items.get(at)?.item {
            Item::Senses(senses) => senses.iter().find_map(|sense| match sense {
                Sense::Seek(bounds) => Some(*bounds),
                _ => None,
            }),
            _ => None,
        }
    }

    /// `how many gpus`, `几张4090`, `as many users as fit`: the value is looked for.
    pub(super) fn seek(&mut self, bounds: &[Bound]) -> usize {
        let mut at = self.at + 1;
        at += usize::from(self.is_light(at));
        at += usize::from(self.number_at(at).is_some_and(|size| size.is_memory()));
        let is_gpu = self.is_gpu(at);
        let Some(knob) = self.knob_at(at).or(is_gpu.then(|| knobs::of("gpus"))) else { return 1 };
        let of_size = matches!(self.text(self.at), "how big" | "how large" | "多大") && is_card(knob);
        if of_size || matches!(self.text(at + 1), "hours" | "hour") {
            // `how big a card`, `how many h100 hours`
            return 1;
        }
        let knob = if matches!(knob.key, "gpu" | "nodes") { knobs::of("gpus") } else { knob };
        let width = if is_gpu { 1 } else { at + 1 - self.at };
        let numbered = !is_gpu && self.number_at(at + 1).is_some() && !self.is_gpu(at + 1);
        let Some(bound) = knob.bound().filter(|bound| bounds.contains(bound) && !numbered) else { return 1 };
        let back = |back: usize| self.at.checked_sub(back);
        if self.clause.delta.is_some()
            || back(1).is_some_and(|at| self.has(at, &Sense::And) || self.has(at, &Sense::More))
        {
            // `加几张卡`
            self.ask(&[knob.key]);
        } else if self.told.is_none() || bounds.len() == 1 || knob.key != "gpus" || self.says_need() {
            self.set(knob, Value::Bound(bound));
        }
        width
    }

    /// `how many do we need`, not `how many is that using`.
    fn says_need(&self) -> bool {
        const NEED: &[&str] = &[
            "need", "needs", "needed", "require", "required", "takes", "take", "enough", "fit", "需要", "要", "够",
            "能", "得",
        ];
        self.items.iter().any(|piece| NEED.contains(&piece.text.as_str()))
    }

    /// `20 tok/s per user`, `20 tok/s each`: a rate is of one of them.
    pub(super) fn of_each(&mut self) -> usize {
        if let Some(Act::Set(knob, Value::Number(rate))) = self.speech.acts.last()
            && knob.key == "tokens_per_s"
        {
            *self.speech.acts.last_mut().expect("there is a last") = time_per_token(*rate);
        }
        1
    }

    /// `add some gpus` without saying how many.
    pub(super) fn wish_for_count(&mut self) -> usize {
        let at = self.past_light(self.at + 1);
        let at = if self.sought(at).is_some() { at + 1 } else { at };
        match self.knob_at(at).filter(|knob| knob.is_numeric() && self.number_at(self.past_light(at + 1)).is_none()) {
            Some(knob) => {
                self.ask(&[knob.key]);
                at + 1 - self.at
            }
            None => 1,
        }
    }

    /// `the optimizer to cpu`, `参数放内存`: that is offloading; anything else may stand there.
    pub(super) fn host(&mut self) -> usize {
        let offload = knobs::of("offload");
        let is_state = |at: usize| {
            self.knob_at(at).is_some_and(|knob| matches!(knob.key, "optimizer" | "offload"))
                || self.names(at, "offload")
                || matches!(self.text(at), "params" | "parameters" | "states" | "参数")
        };
        if self.work == Verb::Train && (self.clause.from..self.at).any(is_state) {
            let kept = |act: &Act| {
                matches!(act, Act::Clear(knob) if knob.key == "optimizer")
                    || matches!(act, Act::Set(knob, Value::Choice("none")) if *knob == offload)
            };
            // `don't put the optimizer there`
            let word = if self.speech.acts.iter().any(kept) { "none" } else { "cpu" };
            self.speech.acts.retain(|act| act.knob() != offload && !kept(act));
            self.set_typed(offload, word);
        }
        1
    }

    /// `add another gpu`: one more.
    pub(super) fn another(&mut self) -> usize {
        let at = self.past_light(self.at + 1);
        let Some(knob) = self.knob_at(at).filter(|knob| is_counted(knob)) else { return 1 };
        let knob = if knob.key == "gpu" { knobs::of("gpus") } else { knob };
        self.act(Act::Add(knob, 1));
        at + 1 - self.at
    }

    /// `加两张卡`: so many more; anything else goes on as it is.
    pub(super) fn and(&mut self) -> usize {
        let counts = self.number_at(self.at + 1).is_some() && self.knob_at(self.at + 2).is_some_and(is_counted);
        if counts && matches!(self.text(self.at), "加" | "plus") {
            self.clause.delta = Some(1);
        }
        // `加卡`
        match self
            .knob_at(self.at + 1)
            .filter(|knob| self.text(self.at) == "加" && matches!(knob.key, "gpus" | "nodes"))
        {
            Some(knob) => {
                self.ask(&[knob.key]);
                2
            }
            None => 1,
        }
    }

    /// `another model`: a wish for a knob.
    pub(super) fn other(&mut self) -> usize {
        let at = self.past_light(self.at + 1);
        let Some(knob) = self.knob_at(at) else { return 1 };
        self.ask(&[if knob.key == "gpus" { "gpu" } else { knob.key }]);
        at + 1 - self.at
    }
}
