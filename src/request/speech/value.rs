//! Names that take the value beside them, and values that say their own name.

use super::{Act, Amount, Item, Listener, Piece, is_counted};
use crate::request::knobs::{self, Kind, Knob, Scope, magnitude};
use crate::request::lexicon::Sense;
use crate::request::settings::{Bound, Value, Verb};
use crate::request::words::{Gap, is_han};

impl Listener {
    /// A knob's name: takes the value that stands after it. `None` where there is none to take.
    pub(super) fn knob(&mut self, knob: &'static Knob) -> Option<usize> {
        match &knob.kind {
            Kind::Length { .. } | Kind::Count { .. } | Kind::Number { .. } => self.numeric_knob(knob),
            Kind::Choice(_) | Kind::Row(_) => self.word_knob(knob),
            Kind::List { .. } => self.list_knob(knob),
            Kind::Model(_) => self.model_knob(knob),
            Kind::Gpu => self.scaled(knobs::of("gpus"), self.past_light(self.at + 1)),
            Kind::Fleet | Kind::Text => None,
        }
    }

    pub(super) fn numeric_knob(&mut self, knob: &'static Knob) -> Option<usize> {
        if let Some(width) = self.paired(knob) {
            return Some(width);
        }
        let next = self.at + 1;
        let mut at = self.past_light(next);
        if knob.scope == Scope::Target && at > next + 1 {
            return None;
        }
        if self.has(at, &Sense::From) && self.number_at(at + 1).is_some() {
            at = self.past_light(at + 2);
        }
        // `batch开16`
        if self.has(at, &Sense::On) && self.text(at).chars().all(is_han) && self.number_at(at + 1).is_some() {
            at += 1;
        }
        let here = self.at;
        let taken = |at: usize| at + 1 - here;
        if let Some(width) = self.scaled(knob, at) {
            return Some(width);
        }
        let over = self.has(at, &Sense::Over);
        if (over || self.has(at, &Sense::Times))
            && let Some(amount) = self.number_at(at + 1)
        {
            let width = taken(at + 1);
            self.act(Act::Scale(knob, if over { 1.0 / amount.value } else { amount.value }));
            return Some(width);
        }
        // `并发再加50`
        let step = if self.has(at, &Sense::Add) || matches!(self.text(at), "加" | "+") { 1 } else { -1 };
        if step > 0 || self.has(at, &Sense::Remove) {
            let (width, longer) = (taken(at), taken(at + 1));
            return Some(match self.number_at(at + 1) {
                Some(amount) => {
                    self.add(knob, step, &amount);
                    longer
                }
                None => {
                    self.ask(&[knob.key]);
                    width
                }
            });
        }
        if self.has(at, &Sense::More) || self.has(at, &Sense::Less) {
            let by = self.number_at(self.past_light(at + 1)).is_none();
            let width = taken(at);
            if by {
                self.ask(&[knob.key]);
                return Some(width);
            }
            at = self.past_light(at + 1);
        }
        if let Some(bounds) = self.sought(at) {
            let after = self.past_light(at + 1);
            match knob.bound().filter(|bound| bounds.contains(bound)) {
                Some(bound) if self.number_at(after).is_none() => {
                    // `上下文最大`, `并发能开多少`
                    let width = taken(at);
                    self.set(knob, Value::Bound(bound));
                    return Some(width);
                }
                _ => at = after,
            }
        }
        // `几张 3090`, `decode at 15 ms`: that is no count.
        let is_amount = |amount: &Amount| match knob.kind {
            Kind::Length { .. } | Kind::Count { .. } => {
                magnitude(&amount.unit, false).is_some() && !(knob.key == "gpus" && self.is_gpu(at))
            }
            _ => true,
        };
        if let Some(amount) = self.number_at(at).filter(is_amount) {
            // `gpus 8`, but not the 8 of `zero 8 gpus`.
            let counts = |counted: &Knob| {
                is_counted(counted) && !(counted.key == "tokens" && matches!(knob.kind, Kind::Length { .. }))
            };
            let lets_go = self.is_gpu(at + 1) || self.knob_at(at + 1).is_some_and(counts);
            // `数据量20万条`
            let measured = knob.key == "tokens"
                && self.items.get(at + 1).is_some_and(|word| word.gap == Gap::None && word.text.chars().all(is_han))
                && self.knob_at(at + 1).is_some_and(|counted| is_counted(counted) && counted != knob);
            if at > next && lets_go && self.text(next) != "=" || measured {
                return None;
            }
            // `from 4k to 8k`, `4k -> 8k`: the last one.
            let (mut last, mut amount) = (at, amount);
            while self.has(last + 1, &Sense::To)
                && let Some(later) = self.number_at(last + 2)
            {
                (last, amount) = (last + 2, later);
            }
            let by = (next..at).any(|between| matches!(self.text(between), "by" | "了"));
            match self.clause.direction.filter(|_| by) {
                Some(direction) => self.add(knob, direction, &amount),
                None => self.set_typed(knob, &amount.typed()),
            }
            self.clause.named += usize::from(amount.digits && !is_counted(knob));
            self.clause.direction = None;
            return Some(last + 1 - self.at);
        }
        if let Some(width) = self.switched_off(knob, next) {
            return Some(width);
        }
        // `输入输出都是1k`, `input and output 1k`
        let other = next + usize::from(self.has(next, &Sense::And));
        if let Some(Kind::Length { .. }) =
            self.knob_at(other).filter(|_| matches!(knob.kind, Kind::Length { .. })).map(|knob| &knob.kind)
            && let Some(amount) = self.number_at(self.past_light(other + 1))
        {
            self.set_typed(knob, &amount.typed());
            return Some(1);
        }
        // `batch size zero`
        if self.text(at) == "zero" && self.number_at(at + 1).is_none() {
            self.set_typed(knob, "0");
            return Some(taken(at));
        }
        // `the max context`, `on a dgx h100`
        let text = self.text(self.at);
        if let Some(bound @ Bound::Max) = knob.bound().filter(|_| text.starts_with("max") || text.starts_with("最大"))
        {
            self.set(knob, Value::Bound(bound));
            return Some(1);
        }
        if matches!(text, "dgx" | "hgx") {
            self.set_typed(knob, "1");
            return Some(1);
        }
        // `batch size banana` says nothing else.
        let word = self.items.get(next).is_some_and(|piece| matches!(piece.item, Item::Unknown));
        if word && self.at == 0 && self.items.len() == 2 {
            let typed = self.text(next).to_owned();
            self.set_typed(knob, &typed);
            return Some(2);
        }
        None
    }

    /// `显卡加倍`, `batch x2`: by what stands at `at`.
    fn scaled(&mut self, knob: &'static Knob, at: usize) -> Option<usize> {
        let by = self.is_scale(at)?;
        self.act(Act::Scale(knob, by));
        Some(at + 1 - self.at)
    }

    /// `input/output 4k/1k`: two lengths, then their values.
    fn paired(&mut self, first: &'static Knob) -> Option<usize> {
        let is_length = |knob: &&Knob| matches!(knob.kind, Kind::Length { .. });
        let second = self.knob_at(self.at + 2).filter(is_length)?;
        let at = self.past_light(self.at + 3);
        let values = (self.number_at(at)?, self.number_at(at + 2)?);
        let split = |at: usize| self.has(at, &Sense::Over);
        if !split(self.at + 1) || !split(at + 1) || !is_length(&first) {
            return None;
        }
        self.set_typed(first, &values.0.typed());
        self.set_typed(second, &values.1.typed());
        Some(at + 3 - self.at)
    }

    pub(super) fn word_knob(&mut self, knob: &'static Knob) -> Option<usize> {
        let next = self.at + 1;
        let at = self.past_light(next);
        for place in next..=at {
            let words = self.text(place);
            if !words.is_empty()
                && !self.has(place, &Sense::Filler)
                && let Ok(value) = knob.read(words, self.catalog)
            {
                let width = place + 1 - self.at;
                self.set(knob, value);
                return Some(width);
            }
        }
        if let Some(width) = self.switched_off(knob, at) {
            return Some(width);
        }
        if self.has(at, &Sense::On) {
            let width = at + 1 - self.at;
            return self.switch_on(knob).then_some(width);
        }
        if knob.key == "quant" {
            self.ask(&["quant"]);
            return Some(1);
        }
        // `optimizer adamx`
        if self.at == 0
            && self.items.len() == 2
            && matches!(self.items[1].item, Item::Unknown)
            && let Err(problem) = knob.read(self.text(1), self.catalog)
            && problem.suggestions.iter().any(|words| words != knob.example)
        {
            self.fail(problem);
            return Some(2);
        }
        if knob.key == "eager" && (self.work == Verb::Train || self.already(knobs::of("attn"))) {
            // Only an inference engine has an eager mode.
            self.set_typed(knobs::of("attn"), "eager");
            return Some(1);
        }
        self.switch_on(knob).then_some(1)
    }

    /// `draft with qwen2.5 0.5b`: another model than the one that is asked about.
    fn model_knob(&mut self, knob: &'static Knob) -> Option<usize> {
        let at = self.past_light(self.at + 1);
        let found = match &self.items.get(at)?.item {
            Item::Model(found) if knob.key != "model" => found.id.clone()?,
            _ => return self.switched_off(knob, at),
        };
        self.set(knob, Value::Text(found));
        Some(at + 1 - self.at)
    }

    pub(super) fn list_knob(&mut self, knob: &'static Knob) -> Option<usize> {
        // `targets all`, although `all` is a small word.
        let after = self.at + 1;
        let named = (after..self.past_light(after)).find(|at| knob.read(self.text(*at), self.catalog).is_ok());
        self.list_at(named.unwrap_or_else(|| self.past_light(after)), knob)
    }

    /// `q, k and v`, from `at` on.
    fn list_at(&mut self, mut at: usize, knob: &'static Knob) -> Option<usize> {
        let mut chosen = vec![];
        while at < self.items.len() {
            let word = self.text(at);
            if knob.read(word, self.catalog).is_ok() {
                chosen.push(word.to_owned());
            } else if !matches!(word, "," | "、" | "proj") && !self.has(at, &Sense::And) {
                break;
            }
            at += 1;
        }
        if chosen.is_empty() {
            return None;
        }
        self.set_typed(knob, &chosen.join(","));
        Some(at - self.at)
    }

    /// A word of no meaning by itself may be the value of the name after it: `rm stage`; `full` is one where it
    /// stands apart.
    pub(super) fn unlisted(&mut self) -> usize {
        let apart = |at: Option<usize>| {
            let item = at.and_then(|at| self.items.get(at)).map(|piece| &piece.item);
            !matches!(item, Some(Item::Unknown)) && !at.is_some_and(|at| self.has(at, &Sense::Filler))
        };
        if self.text(self.at) == "full"
            && self.work == Verb::Train
            && apart(self.at.checked_sub(1))
            && apart(Some(self.at + 1))
        {
            self.set_typed(knobs::of("method"), "full");
            return 1;
        }
        if let Some(width) = self.targets() {
            return width;
        }
        let named = self.knob_at(self.at + 1).filter(|knob| matches!(knob.kind, Kind::Choice(_)));
        if let Some(knob) = named
            && let Ok(value) = knob.read(self.text(self.at), self.catalog)
        {
            self.set(knob, value);
            return 2;
        }
        self.unknown();
        1
    }

    /// `q and v`, `qkvo`: letters that are weights where they stand together.
    fn targets(&mut self) -> Option<usize> {
        let knob = knobs::of("lora_targets");
        let is_target = |at: usize| knob.read(self.text(at), self.catalog).is_ok();
        let next = self.at + 1;
        let after = next + usize::from(self.has(next, &Sense::And) || matches!(self.text(next), "," | "、"));
        let letters = |text: &str| text.len() > 1 && text.chars().all(|c| "qkvo".contains(c));
        let together = is_target(after) || letters(self.text(self.at));
        (self.work == Verb::Train && is_target(self.at) && together).then(|| self.list_at(self.at, knob)).flatten()
    }

    /// A switch that is named and nothing more is wanted on.
    pub(super) fn switch_on(&mut self, knob: &'static Knob) -> bool {
        let switch = matches!(
            knob.key,
            "checkpointing" | "offload" | "packing" | "compile" | "ref_model" | "sp" | "eager" | "autocast"
        );
        if switch {
            self.set_typed(knob, "on");
        }
        switch
    }

    pub(super) fn switched_off(&mut self, knob: &'static Knob, at: usize) -> Option<usize> {
        // A number that has no word for none cannot be off: `batch off` means nothing.
        let cannot = knob.is_numeric() || matches!(knob.kind, Kind::Model(_));
        // `full, not lora`
        let beside = self.names(at + 1, knob.key);
        if !self.has(at, &Sense::Not) || beside || (cannot && off_word(knob).is_none()) {
            return None;
        }
        let width = at + 1 - self.at;
        self.turn_off(knob);
        Some(width)
    }

    pub(super) fn turn_off(&mut self, knob: &'static Knob) {
        match off_word(knob) {
            Some(word) => self.set_typed(knob, word),
            None => self.act(Act::Clear(knob)),
        }
    }

    pub(super) fn value(&mut self) -> Option<usize> {
        let Item::Senses(senses) = &self.items[self.at].item else { return None };
        let values = values_of(senses);
        if values.is_empty() {
            return None;
        }
        // `fp8 kv cache`: the name after a value claims it, if it is not one of the value's own.
        let mut after = self.at + 1;
        while after < self.at + 3 && self.has(after, &Sense::Filler) && self.knob_at(after).is_none() {
            after += 1;
        }
        if let Some(knob) = self.knob_at(after).filter(|knob| matches!(knob.kind, Kind::Choice(_) | Kind::Row(_)))
            && knob.scope.serves(self.work)
            && let Ok(value) = knob.read(&self.items[self.at].text, self.catalog)
        {
            let text = self.items[self.at].text.clone();
            if knob.key == "quant" && self.work == Verb::Train && !self.is_quantised(&value) {
                // `bf16 weights` of a training
                self.set_typed(knobs::of("precision"), &text);
                return Some(after + 1 - self.at);
            }
            self.set(knob, value);
            // `fp8 weights and kv cache`
            while self.has(after + 1, &Sense::And)
                && let Some(knob) =
                    self.knob_at(after + 2).filter(|knob| matches!(knob.kind, Kind::Choice(_) | Kind::Row(_)))
                && let Ok(value) = knob.read(&text, self.catalog)
            {
                self.set(knob, value);
                after += 2;
            }
            return Some(after + 1 - self.at);
        }
        let together =
            values.iter().all(|(knob, _)| values.iter().filter(|(other, _)| other.key == knob.key).count() == 1)
                && self.is_saying();
        let (knob, value) = self.prefer(&values);
        let shaped = |piece: &Piece| piece.knob().is_some_and(|knob| knob.scope == Scope::Shape);
        if self.told.is_some() && knob.key == "model" && !self.items.iter().any(shaped) {
            // `a custom kernel`
            self.unknown();
            return Some(1);
        }
        if let Kind::List { .. } = knob.kind
            && let Some(width) = self.list_at(self.at, knob)
        {
            // `q_proj and v_proj`
            return Some(width);
        }
        // `full weights`: a training's are whole as they are.
        let whole =
            self.work == Verb::Train && knob.key == "quant" && matches!(&value, Value::Text(name) if name == "none");
        if self.says_less(knob, &value) || whole && self.told.is_none() {
            return Some(1);
        }
        // `昇腾 910B`: the card says whose it is.
        if knob.key == "vendor" && (0..self.items.len()).any(|at| self.is_gpu(at)) {
            return Some(1);
        }
        if self.told.is_none() && !knob.scope.serves(self.work) {
            self.unknown();
            return Some(1);
        }
        if let Some(width) = self.switched_off(knob, self.at + 1) {
            return Some(width);
        }
        if together {
            for (knob, value) in values {
                self.set(knob, value);
            }
        } else {
            self.set(knob, value);
        }
        // `vllm 0.8.5`
        let dotted =
            |text: &str| text.split('.').count() > 1 && text.split('.').all(|part| part.parse::<u32>().is_ok());
        let version = self.at + 1 + usize::from(matches!(self.text(self.at + 1), "v" | "version"));
        if knob.key == "backend" && dotted(self.text(version)) {
            self.set(knobs::of("backend_version"), Value::Text(self.text(version).to_owned()));
            return Some(version + 1 - self.at);
        }
        // `lora on q and v`
        let targets = knobs::of("lora_targets");
        let mut on = self.at + 1;
        while matches!(self.text(on), "only" | "just" | "只" | "仅") {
            on += 1;
        }
        let end =
            (on..on + 2).take_while(|at| self.has(*at, &Sense::On) || matches!(self.text(*at), ":" | "加" | "在"));
        let end = end.last().filter(|_| knob.key == "method");
        end.and_then(|last| self.list_at(last + 1, targets)).or(Some(1))
    }

    /// `w4a16 awq`, `nf4 without double quant`: a plain width or name beside the format that it is part of.
    fn says_less(&self, knob: &Knob, value: &Value) -> bool {
        let bits = |value: &Value| {
            let row = self.catalog.formats.iter().find(|row| matches!(value, Value::Text(name) if *name == row.name));
            row.map(|row| row.bits.floor())
        };
        let plain = matches!(value, Value::Text(name) if name == "int4" || name == "int8");
        let said = self.text(self.at);
        let part = |other: &Value| matches!(other, Value::Text(name) if name.contains(said));
        let as_wide = |other: &Value| other != value && (plain && bits(other) == bits(value) || part(other));
        let earlier =
            self.speech.acts.iter().any(|act| matches!(act, Act::Set(set, other) if *set == knob && as_wide(other)));
        let later = self.items[self.at + 1..].iter().any(|piece| match &piece.item {
            Item::Senses(senses) => values_of(senses).iter().any(|(set, other)| *set == knob && as_wide(other)),
            _ => false,
        });
        knob.key == "quant" && (earlier || later)
    }

    /// Whether all the senses here are meant at once (`pure bf16`), not one of several.
    pub(super) fn is_saying(&self) -> bool {
        matches!(&self.items[self.at].item, Item::Senses(senses)
            if senses.iter().any(|sense| matches!(sense, Sense::Value(knob, _) if knob.key == "master")))
    }

    /// Whether a format is narrower than any precision that has its name.
    fn is_quantised(&self, format: &Value) -> bool {
        let Value::Text(name) = format else { return false };
        self.catalog.formats.iter().any(|row| row.name == *name && row.bits < 16.0)
    }

    /// Of the knobs a word could be for, the one this work means by it.
    pub(super) fn prefer(&self, values: &[(&'static Knob, Value)]) -> (&'static Knob, Value) {
        let rank = |knob: &Knob, value: &Value| {
            let fits = knob.scope.serves(self.work);
            let weights = self.work == Verb::Infer && knob.key == "quant" && self.is_quantised(value);
            let compute = knob.key == "precision";
            (fits, weights, compute)
        };
        let best = values
            .iter()
            .enumerate()
            .max_by_key(|(index, (knob, value))| (rank(knob, value), std::cmp::Reverse(*index)));
        best.map(|(_, chosen)| chosen.clone()).expect("called with values")
    }

    pub(super) fn bits(&mut self, bits: u64) -> usize {
        let optimizer = self.past_light(self.at + 1);
        if bits == 8 && (self.names(optimizer, "optimizer") || self.already(knobs::of("optimizer"))) {
            // `8bit 的 paged adam`: the optimizer says it.
            return 1;
        }
        let mut after = self.at + 1;
        while after < self.at + 3 && self.has(after, &Sense::Filler) && self.knob_at(after).is_none() {
            after += 1;
        }
        if let Some(knob) = self.knob_at(after).filter(|knob| knob.key == "kv") {
            self.set_typed(knob, if bits == 4 { "int4" } else { "fp8" });
            return after + 1 - self.at;
        }
        let quant = knobs::of("quant");
        if self.already(quant) || self.named_later(quant, self.at + 1) {
            // `4-bit gptq`: the format says it.
            return 1;
        }
        // `4-bit lora`, `lora in 8 bit`: that is QLoRA.
        let lora = |act: &Act| matches!(act, Act::Set(knob, Value::Choice("lora")) if knob.key == "method");
        self.speech.acts.retain(|act| self.work != Verb::Train || !lora(act));
        let width = if self.work == Verb::Train && self.text(self.at + 1) == "lora" { 2 } else { 1 };
        match (self.work, bits) {
            (Verb::Train, 4) => self.set_typed(knobs::of("method"), "qlora"),
            (Verb::Train, _) => {
                self.set_typed(knobs::of("method"), "qlora");
                self.set_typed(knobs::of("quant"), "int8");
            }
            (_, 4) => self.set_typed(knobs::of("quant"), "int4"),
            (_, _) => self.set_typed(knobs::of("quant"), "int8"),
        }
        width
    }
}

/// The value that means a knob is not wanted.
pub(super) fn off_word(knob: &Knob) -> Option<&'static str> {
    match knob.key {
        "zero" => Some("0"),
        "offload" | "quant" | "draft" => Some("none"),
        "attn" => Some("eager"),
        "accum" | "tp" | "pp" | "dp" | "ep" | "cp" => Some("1"),
        "method" | "loss" => Some("full"),
        "kv" => Some("auto"),
        _ => match knob.kind {
            Kind::Choice(choices) => choices.iter().map(|(name, _)| *name).find(|name| *name == "off"),
            _ => None,
        },
    }
}

/// The values that a word may stand for, each with its knob.
pub(super) fn values_of(senses: &[&Sense]) -> Vec<(&'static Knob, Value)> {
    let value = |sense: &&Sense| match sense {
        Sense::Value(knob, value) => Some((*knob, value.clone())),
        _ => None,
    };
    senses.iter().filter_map(value).collect()
}
