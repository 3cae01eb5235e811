//! What is counted: cards, nodes, tokens, users, and the numbers that stand before them.

use super::item::Piece;
use super::{Act, Amount, Item, Listener, Problem, Question, is_card, is_counted};
use crate::catalog::names::{Outcome, Resolution};
use crate::request::knobs::{self, Kind, Knob};
use crate::request::lexicon::Sense;
use crate::request::settings::{Value, Verb};
use crate::request::words::{Gap, is_han};

impl Listener {
    pub(super) fn model(&mut self, found: Resolution, typed: &str) {
        if found.outcome == Outcome::Unknown {
            return self.fail(knobs::no_model(typed, &found));
        }
        match &self.speech.model {
            Some(first) if first.id != found.id => {
                let (first, second) = (first.id.clone().unwrap_or_default(), found.id.unwrap_or_default());
                if self.speech.verb != Verb::Compare {
                    return self.fail(knobs::given_twice("model", &first, &second));
                }
                self.set(knobs::of("model"), Value::Text(second));
            }
            Some(_) => {}
            None => {
                self.speech.is_sized = self.catalog.names().is_sized(typed);
                self.speech.model = Some(found);
            }
        }
    }

    /// `r1`: a name, where the letter is no knob of this work.
    pub(super) fn name_for_knob(&mut self, knob: &Knob) -> Option<usize> {
        let number = self.items.get(self.at + 1).filter(|piece| piece.gap == Gap::None)?;
        if knob.scope.serves(self.work) || !matches!(number.item, Item::Number(_)) {
            return None;
        }
        let name = format!("{}{}", self.text(self.at), number.text);
        let found = self.catalog.names().model(&name);
        (found.outcome != Outcome::Unknown && found.read_as.is_none()).then(|| {
            self.model(found, &name);
            2
        })
    }

    /// `the speed of it`, `like the tools`: a word alone is a model's name if many mean a model by it, and in a line
    /// where it is spelled like one.
    pub(super) fn is_just_a_word(&self, found: &Resolution, typed: &str) -> bool {
        let bare = found.outcome != Outcome::Unknown
            && typed.is_ascii()
            && !typed.contains(|c: char| c.is_ascii_digit() || c == '/');
        let id = found.id.as_deref().unwrap_or_default();
        let several = typed.contains(' ') && !typed.contains(':');
        let leads = id.rsplit('/').next().is_some_and(|name| name.to_lowercase().starts_with(typed));
        let exact = found.read_as.is_none() && (several || leads && self.told.is_none());
        bare && !exact && (typed.len() < 3 || !self.catalog.names().is_popular(id))
    }

    pub(super) fn gpu(&mut self, id: String) -> usize {
        let mut width = 1;
        let mut id = id;
        let before = self.at.checked_sub(1).map_or("", |before| self.text(before)).to_owned();
        if matches!(before.as_str(), "比" | "than") {
            // `a 4090 is faster than a 3090`
            self.speech.question = Some(Question::Why);
        }
        if matches!(before.as_str(), "pcie" | "sxm" | "nvl") {
            let found = self.catalog.names().gpu(&format!("{} {before}", self.text(self.at)));
            id = found.id.unwrap_or(id);
        }
        // `A100 40 GB`: the size picks the variant.
        if let Some(size) = self.number_at(self.at + 1).filter(|size| matches!(size.unit.as_str(), "g" | "gb" | "gib"))
        {
            let name = format!("{} {}{}", self.text(self.at), size.value, size.unit);
            let found = self.catalog.names().gpu(&name);
            match (found.outcome, &found.id) {
                (Outcome::Match | Outcome::Ambiguous, Some(variant)) => id.clone_from(variant),
                _ => self.fail(knobs::no_gpu(&name, &found)),
            }
            width = 2;
        }
        // `h20 x8`
        if self.has(self.at + width, &Sense::Times)
            && let Some(count) = self.number_at(self.at + width + 1)
        {
            if let Some((each, gpu)) = self.catalog.instance(&id) {
                self.machines(count.plain(), each, gpu);
                return width + 2;
            }
            if self.knob_at(self.at + width + 2).is_some_and(|knob| knob.key == "nodes") {
                self.set_typed(knobs::of("nodes"), &count.typed());
                width += 1;
            } else {
                self.set_typed(knobs::of("gpus"), &count.typed());
            }
            width += 2;
        } else if self.text(self.at + width) == "pair" {
            self.set_typed(knobs::of("gpus"), "2");
            width += 1;
        }
        self.set_typed(knobs::of("gpu"), &id);
        width
    }

    /// `2 p4d.24xlarge`
    fn machines(&mut self, machines: f64, each: u64, gpu: &str) {
        self.set_typed(knobs::of("nodes"), &machines.to_string());
        self.set_typed(knobs::of("gpus"), &(machines * each as f64).to_string());
        self.set_typed(knobs::of("gpu"), gpu);
    }

    pub(super) fn number(&mut self) -> usize {
        let Some(amount) = self.number_at(self.at) else { return 1 };
        let next = self.at + 1;
        let is_memory = amount.is_memory();
        if !is_memory && let Some(taken) = self.count_of(&amount, next) {
            return taken;
        }
        if self.work == Verb::Infer
            && let Some(taken) = self.flows(&amount, next)
        {
            return taken;
        }
        if let Some(taken) = self.bound(&amount, next) {
            return taken;
        }
        if self.has(next, &Sense::Over)
            && let Some(parts) = self.number_at(next + 1).filter(|parts| parts.value > 1.0)
            && let Some(knob) = self.knob_at(self.past_light(next + 2)).filter(|knob| knob.is_numeric())
        {
            // `1/2 the context`
            let width = self.past_light(next + 2) + 1 - self.at;
            self.act(Act::Scale(knob, amount.value / parts.value));
            return width;
        }
        if self.text(next) == "bpw" {
            self.set_typed(knobs::of("quant"), &format!("exl2-{}", amount.value));
            return 2;
        }
        if is_memory && self.is_gpu(next) {
            // `a 40GB A100`, `3g.40gb h100`
            let slice = self.at.checked_sub(1).and_then(|before| self.number_at(before));
            let slice = slice.filter(|slice| slice.unit == "g").map_or(String::new(), |slice| slice.typed() + ".");
            let card = self.text(next);
            // `two 80GB A100s`, but `a 48GB L40S`.
            let find = |name: &str| self.catalog.names().gpu(name);
            let one = card.trim_end_matches('s');
            let is_plural = matches!(&self.items[next].item, Item::Gpu(id) if find(one).id.as_ref() == Some(id));
            let name = format!("{} {slice}{}{}", if is_plural { one } else { card }, amount.value, amount.unit);
            let found = find(&name);
            match &found.id {
                Some(id) => self.set(knobs::of("gpu"), Value::Text(id.clone())),
                None => self.fail(knobs::no_gpu(&name, &found)),
            }
            return 2;
        }
        if is_memory && self.is_card(&amount, next) {
            return 1;
        }
        let bare = !self.items.get(next).is_some_and(|piece| matches!(piece.item, Item::Unknown));
        // `train 350m`: what stands where a line's model does is a size; elsewhere `1m` is a length.
        let leads = self.leads() && matches!(amount.unit.as_str(), "m" | "t");
        // `千亿参数`, `700亿的模型`
        let parameters = || {
            amount.plain() >= 1e8
                && matches!(
                    self.text(self.past_of(next)),
                    "参数" | "模型" | "大模型" | "model" | "models" | "param" | "params" | "parameter" | "parameters"
                )
        };
        if matches!(self.text(next), "active" | "激活") {
            // `30b with 3b active`
            self.unknown();
            return 1;
        }
        if let Some(other) = self
            .knob_at(self.past_light(next))
            .filter(|knob| matches!(knob.kind, Kind::Model(_)) && knob.key != "model")
            && amount.unit == "b"
        {
            // `an 8b reward model`
            self.set_typed(other, &amount.typed());
            return self.past_light(next) + 1 - self.at;
        }
        if (leads || matches!(amount.unit.as_str(), "b" | "bn" | "billion") || parameters()) && amount.value > 0.0 {
            if let Some(problem) = self.unknown_name() {
                self.fail(problem);
            }
            self.act(Act::Resize(amount.plain()));
        } else if bare && matches!(amount.unit.as_str(), "k" | "m") && amount.digits && !self.speaks_of_money() {
            self.set_typed(knobs::of("seq"), &amount.typed());
        } else if amount.digits && !is_memory {
            self.unknown();
        }
        1
    }

    /// Whether this stands where a line's model does: `train a 350m`.
    fn leads(&self) -> bool {
        Verb::of(self.text(0)).is_some() && (1..self.at).all(|at| self.has(at, &Sense::Filler))
    }

    /// `it cost us 10k`
    fn speaks_of_money(&self) -> bool {
        const MONEY: &[&str] = &["cost", "costs", "pay", "paid", "spent", "price", "$", "花", "成本"];
        self.items[..self.at].iter().rev().take(4).any(|piece| MONEY.contains(&piece.text.as_str()))
    }

    /// Past `的`.
    fn past_of(&self, at: usize) -> usize {
        at + usize::from(self.text(at) == "的")
    }

    /// `a 24GB card`, `8G显存`: a card of that memory, where a line names none.
    fn is_card(&mut self, amount: &Amount, next: usize) -> bool {
        let near = self.at.saturating_sub(2)..self.past_of(next) + 1;
        let says = |at: usize| {
            matches!(self.text(at), "vram" | "显存" | "gpu memory" | "of vram") || self.knob_at(at).is_some_and(is_card)
        };
        let named = self.items.iter().any(|piece| matches!(piece.item, Item::Gpu(_)));
        if self.told.is_some() || named || !near.into_iter().any(says) {
            return false;
        }
        let found = self.catalog.names().gpu(&amount.typed());
        found.id.is_some_and(|id| {
            self.set(knobs::of("gpu"), Value::Text(id));
            true
        })
    }

    /// `train foobar 7b`, `foobar-7b`, `lama5 9b`: words and the size here are the name of no model, where a line's model
    /// stands, written together, or where some name begins like it.
    fn unknown_name(&self) -> Option<Problem> {
        let heard = &self.items[..=self.at];
        let nameless = |piece: &Piece| matches!(piece.item, Item::Unknown | Item::Number(_));
        let run = heard.iter().rposition(|piece| !nameless(piece)).map_or(0, |at| at + 1);
        let run = run + heard[run..].iter().position(|piece| matches!(piece.item, Item::Unknown))?;
        let glued = heard.iter().rposition(|piece| piece.gap == Gap::Space).unwrap_or(0).max(run);
        let leads = run == 1 && Verb::of(&heard[0].text).is_some();
        let begins = self.catalog.names().may_begin(&heard[run].text);
        let from = if leads || begins { run } else { glued };
        if from == self.at || !matches!(heard[from].item, Item::Unknown) || !heard[from].text.is_ascii() {
            return None;
        }
        let mut name = String::new();
        for piece in &heard[from..] {
            name += match piece.gap {
                _ if name.is_empty() => "",
                Gap::None => "",
                Gap::Hyphen => "-",
                Gap::Space => " ",
            };
            name += &piece.text;
        }
        let found = self.catalog.names().model(&name);
        (found.outcome == Outcome::Unknown).then(|| knobs::no_model(&name, &found))
    }

    /// `within 24 hours`, `3天内`, `under $500`, `90% of the memory`: what must be kept to.
    fn bound(&mut self, amount: &Amount, next: usize) -> Option<usize> {
        let before = |back: usize| self.at.checked_sub(back).map_or("", |at| self.text(at));
        if before(1) == "$" {
            self.set_typed(knobs::of("budget"), &amount.typed());
            return Some(next - self.at);
        }
        let of_memory =
            |at: usize| matches!(self.text(at), "memory" | "vram" | "of vram" | "of memory" | "gpu memory" | "显存");
        if amount.unit == "%" && self.work == Verb::Infer && (self.at.saturating_sub(3)..next + 3).any(of_memory) {
            self.set_typed(knobs::of("gpu_mem_util"), &amount.typed());
            return Some(next - self.at);
        }
        let until = matches!(self.text(next), "内" | "以内" | "之内");
        if amount.unit.is_empty()
            || !until && !matches!(before(1), "within" | "under" | "less than" | "in under" | "in")
        {
            return None;
        }
        let deadline = knobs::of("deadline");
        let value = deadline.read(&amount.typed(), self.catalog).ok()?;
        self.set(deadline, value);
        Some(next - self.at)
    }

    /// `4k in, 1k out`: tokens of a prompt and of its answer.
    pub(super) fn flows(&mut self, amount: &Amount, next: usize) -> Option<usize> {
        let goes_out = |at: usize| self.text(at) == "out" && at > 0 && self.number_at(at - 1).is_some();
        let before = |back: usize| self.at.checked_sub(back).map_or("", |at| self.text(at));
        // `in/out 4k/1k`, `in/out: 4k/1k`
        let colon = usize::from(before(1) == ":");
        if [3, 2, 1].map(|back| before(back + colon)) == ["in", "/", "out"]
            && self.has(next, &Sense::Over)
            && let Some(output) = self.number_at(next + 1)
        {
            self.set_typed(knobs::of("prompt"), &amount.typed());
            self.set_typed(knobs::of("output"), &output.typed());
            return Some(next + 2 - self.at);
        }
        // `in 4k out 1k`
        let named = match before(1) {
            "in" if self.text(next) == "out" && self.number_at(next + 1).is_some() => Some("prompt"),
            "out" if self.already(knobs::of("prompt")) => Some("output"),
            _ => None,
        };
        if let Some(key) = named {
            self.set_typed(knobs::of(key), &amount.typed());
            return Some(next - self.at);
        }
        let key = match self.text(next) {
            "in" if (next + 1..next + 5).any(goes_out) => "prompt",
            "out" if self.already(knobs::of("prompt")) => "output",
            _ => return None,
        };
        self.set_typed(knobs::of(key), &amount.typed());
        Some(next + 1 - self.at)
    }

    /// A number and what it counts: `8 gpus`, `4张4090`, `one more gpu`, `2x the batch`.
    pub(super) fn count_of(&mut self, amount: &Amount, next: usize) -> Option<usize> {
        let mut at = next;
        let times = self.has(at, &Sense::Times);
        if times {
            at += 1;
        }
        let mut delta = self.clause.delta;
        if self.has(at, &Sense::More) {
            (delta, at) = (Some(1), at + 1);
        } else if self.has(at, &Sense::Less) {
            (delta, at) = (Some(-1), at + 1);
        }
        let mut target = at;
        while target < at + 3 && self.is_light(target) {
            target += 1;
        }
        if self.number_at(target).is_some_and(|size| size.is_memory()) {
            // `two 80GB A100s`, `a single 24gb card`
            if amount.unit.is_empty() && (self.is_gpu(target + 1) || self.knob_at(target + 1).is_some_and(is_card)) {
                self.set_typed(knobs::of("gpus"), &amount.typed());
                return Some(target - self.at);
            }
            return None;
        }
        if self.is_gpu(target) && self.number_at(target).is_none_or(|_| target == at) && amount.unit.is_empty() {
            if let Some((each, gpu)) = self.catalog.instance(self.text(target)) {
                self.machines(amount.plain(), each, gpu);
                return Some(target + 1 - self.at);
            }
            let is_node = self.knob_at(target + 1).is_some_and(|knob| knob.key == "nodes");
            if is_node
                && times
                && let Item::Gpu(gpu) = &self.items[target].item
            {
                // `two 8xH100 nodes`
                let nodes = self.at.checked_sub(1).and_then(|before| self.number_at(before));
                self.machines(nodes.map_or(1.0, |nodes| nodes.value), amount.plain() as u64, &gpu.clone());
                return Some(target + 2 - self.at);
            }
            if is_node {
                self.set_typed(knobs::of("nodes"), &amount.typed());
            } else if let Some(delta) = delta {
                self.add(knobs::of("gpus"), delta, amount);
            } else {
                self.set_typed(knobs::of("gpus"), &amount.typed());
            }
            return Some(target - self.at);
        }
        if self.text(target) == "路" && self.knob_at(target + 1).is_some_and(Knob::is_numeric) {
            // `2路张量并行`: ways, not streams.
            target += 1;
        }
        let mut knob = self.knob_at(target)?;
        if knob.key == "gpu" {
            knob = knobs::of("gpus");
        }
        if !knob.is_numeric() {
            return None;
        }
        let before = self.at.checked_sub(1).map_or("", |before| self.text(before));
        if knob.key == "gpus" && matches!(before, "at most" | "up to" | "no more than" | "最多" | "不超过") {
            knob = knobs::of("max_gpus");
        }
        let mut end = target;
        if knob.key == "tokens" {
            if self.knob_at(target + 1).is_some_and(|knob| matches!(knob.key, "batch" | "global_batch")) {
                // `a 4M token batch` is not of sequences.
                self.unknown();
                return Some(target + 2 - self.at);
            }
            // `32k tokens of context`; and inference counts tokens by request only.
            let after = self.past_light(target + 1);
            match self.knob_at(after).filter(|knob| matches!(knob.kind, Kind::Length { .. })) {
                Some(length) if self.number_at(self.past_light(after + 1)).is_none() => (knob, end) = (length, after),
                // Nobody trains on so few: it is how long a sequence is.
                _ if self.work == Verb::Infer || amount.plain() < 1e6 => knob = knobs::of("seq"),
                _ => {}
            }
        }
        let size = matches!(amount.unit.as_str(), "b" | "bn" | "billion") && is_counted(knob) && knob.key != "tokens";
        if size || knob.key == "samples" && !amount.digits && amount.value < 100.0 {
            // `671b 要几张`, `here are two examples`
            return None;
        }
        if knob.key == "nodes"
            && self.has(target + 1, &Sense::Times)
            && let Some(each) = self.number_at(target + 2).filter(|_| !self.is_gpu(target + 2))
            && !self.is_gpu(target + 3)
        {
            // `3 nodes x 8`
            self.set_typed(knobs::of("gpus"), &each.typed());
            end = target + 2;
        }
        if times && (amount.unit.is_empty()) {
            self.act(Act::Scale(knob, amount.value));
            return Some(target + 1 - self.at);
        }
        // `8 tp 4`: a knob that has its own number after it lets go of the one before, unless that is counted too.
        if !is_counted(knob) {
            let after = self.past_light(target + 1);
            let own = self.number_at(after).is_some()
                && !self.knob_at(after + 1).is_some_and(is_counted)
                && !self.is_gpu(after + 1);
            // `24k of context`
            let length = matches!(knob.kind, Kind::Length { .. }) && matches!(amount.unit.as_str(), "k" | "m");
            if own || (target > at && !length && !matches!(self.text(at), "way" | "路" | "步")) {
                return None;
            }
        }
        match delta {
            Some(delta) => self.add(knob, delta, amount),
            None => self.set_typed(knob, &amount.typed()),
        }
        self.clause.named += usize::from(amount.digits && !is_counted(knob));
        Some(end + 1 - self.at)
    }

    pub(super) fn add(&mut self, knob: &'static Knob, delta: i64, amount: &Amount) {
        let by = amount.plain().clamp(0.0, 1e15) as i64;
        self.act(Act::Add(knob, delta * by));
    }

    /// `2 nodes of 8 h100`, `两机八卡`: the count is a node's, so all nodes have the product.
    pub(super) fn settle_nodes(&mut self) {
        let place = |listener: &Self, key: &str| {
            listener.speech.acts.iter().position(|act| matches!(act, Act::Set(knob, _) if knob.key == key))
        };
        let (Some(nodes), Some(gpus)) = (place(self, "nodes"), place(self, "gpus")) else { return };
        let count = |act: &Act| match act {
            Act::Set(_, Value::Count(count)) => Some(*count),
            _ => None,
        };
        let (Some(nodes), Some(each)) = (count(&self.speech.acts[nodes]), count(&self.speech.acts[gpus])) else {
            return;
        };
        if nodes > 1 && self.per_node(each) {
            self.speech.acts[gpus] = Act::Set(knobs::of("gpus"), Value::Count(nodes.saturating_mul(each)));
        }
    }

    pub(super) fn per_node(&self, each: u64) -> bool {
        let explicit = |key: &str| {
            self.items.iter().any(|piece| matches!(&piece.item, Item::Explicit(knob, _) if knob.key == key))
        };
        if explicit("gpus") {
            return false;
        }
        let said = (0..self.items.len()).any(|at| self.has(at, &Sense::Each) && self.text(at) != "per");
        // `两机八卡`, but the 16 of `两机十六卡` are all there are.
        let beside = |at: usize| match self.text(at + 1) {
            "of" | "with" | "x" | "*" | "each" => each <= 16,
            _ => each <= 8 && self.text(at).chars().all(is_han) && self.number_at(at + 1).is_some(),
        };
        let is_nodes = |at: &usize| self.knob_at(*at).is_some_and(|knob| knob.key == "nodes");
        said || (0..self.items.len()).filter(is_nodes).any(beside)
    }
}
