//! What people paste: configurations, commands, driver output, out-of-memory messages, to settings.
//!
//! Pieces are told apart by their structure, each read into a [`Draft`], and the drafts merged: the kind is that of
//! the piece that says most. What was read, what is still to be asked and what was assumed are kept apart.
//! The text is a stranger's: bounded in size and depth, never run, never fetched.

use crate::catalog::{Catalog, Outcome};
use crate::message::Problem;
use crate::msg;
use crate::request::knobs::{self, KNOBS, Kind as KnobKind};
use crate::request::{Settings, Value, Verb};
use draft::Draft;
use serde_json::{Map, json};
use shell::Command;

mod config;
mod draft;
mod engines;
mod megatron;
mod oom;
mod shell;
mod smi;
mod torchtune;
mod trainers;
mod tree;

/// Longest paste that is read.
pub const LONGEST: usize = 64 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    HfConfig,
    PeftConfig,
    Vllm,
    Sglang,
    Tgi,
    Trtllm,
    LlamaCpp,
    Ollama,
    Deepspeed,
    Accelerate,
    Torchtune,
    LlamaFactory,
    Axolotl,
    Megatron,
    NvidiaSmi,
    Oom,
}

impl Kind {
    pub const fn word(self) -> &'static str {
        match self {
            Kind::HfConfig => "hf-config",
            Kind::PeftConfig => "peft-config",
            Kind::Vllm => "vllm",
            Kind::Sglang => "sglang",
            Kind::Tgi => "tgi",
            Kind::Trtllm => "trtllm",
            Kind::LlamaCpp => "llama.cpp",
            Kind::Ollama => "ollama",
            Kind::Deepspeed => "deepspeed",
            Kind::Accelerate => "accelerate",
            Kind::Torchtune => "torchtune",
            Kind::LlamaFactory => "llama-factory",
            Kind::Axolotl => "axolotl",
            Kind::Megatron => "megatron",
            Kind::NvidiaSmi => "nvidia-smi",
            Kind::Oom => "oom",
        }
    }
}

/// What a paste was understood as.
#[derive(Clone, Debug, PartialEq)]
pub struct Pasted {
    /// `None`: nothing here was understood.
    pub kind: Option<Kind>,
    /// Knobs by their keys, figures of a shape, `oom.*` in bytes, `smi.*`.
    pub understood: Map<String, serde_json::Value>,
    /// Knobs still needed for an estimate.
    pub asked: Vec<&'static str>,
    /// What the program would do where the paste is silent, as words of a line.
    pub assumed: Vec<String>,
    /// The line it comes to; without a model where none was named.
    pub settings: Settings,
}

pub fn read(text: &str, catalog: &'static Catalog) -> Result<Pasted, Problem> {
    if text.len() > LONGEST {
        return Err(Problem::new(msg!("paste-too-long", limit = LONGEST / 1024)));
    }
    let mut drafts = vec![];
    for piece in pieces(&clean(text)) {
        drafts.extend(read_piece(&piece, catalog)?);
    }
    merge(drafts, catalog)
}

/// Typographic quotes and dashes that chat programs make, back to what was typed.
fn clean(text: &str) -> String {
    let mut made = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '“' | '”' | '„' => made.push('"'),
            '‘' | '’' => made.push('\''),
            '–' | '—' => made.push_str("--"),
            '\u{a0}' | '\u{3000}' => made.push(' '),
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\r' => {}
            c => made.push(c),
        }
    }
    made
}

/// Fenced blocks each on their own, and what stands around them.
fn pieces(text: &str) -> Vec<String> {
    let parts: Vec<&str> = text.split("```").collect();
    if parts.len() < 3 {
        return vec![text.to_owned()];
    }
    let fenced = parts.iter().skip(1).step_by(2).map(|block| {
        // The language stands on the fence's line.
        let (first, rest) = block.split_once('\n').unwrap_or(("", block));
        if first.trim().contains([' ', '-', '{']) { (*block).to_owned() } else { rest.to_owned() }
    });
    let around = parts.iter().step_by(2).copied().collect::<Vec<_>>().join("\n");
    fenced.chain([around]).filter(|piece| !piece.trim().is_empty()).collect()
}

fn read_piece(text: &str, catalog: &'static Catalog) -> Result<Vec<Draft>, Problem> {
    let mut drafts = vec![];
    let tree = tree::json(text).or_else(|| tree::yaml(text));
    if let Some(tree) = tree.as_ref().and_then(serde_json::Value::as_object) {
        if let Some(draft) = file(tree, catalog) {
            drafts.push(draft?);
        }
    }
    if drafts.is_empty() {
        drafts.extend(engines::ollama(text));
        drafts.extend(smi::read(text, catalog));
    }
    if drafts.is_empty() {
        let commands = shell::commands(text);
        let allotted = allotment(&commands);
        drafts.extend(commands.iter().filter_map(|command| program(command, allotted)));
        drafts.extend(python(text));
    }
    drafts.extend(oom::read(text));
    Ok(drafts)
}

/// A configuration file, by the keys that only its program has.
fn file(tree: &Map<String, serde_json::Value>, catalog: &Catalog) -> Option<Result<Draft, Problem>> {
    let own = trainers::peft(tree)
        .or_else(|| trainers::deepspeed(tree))
        .or_else(|| torchtune::read(tree, catalog))
        .or_else(|| trainers::llama_factory(tree))
        .or_else(|| trainers::axolotl(tree))
        .or_else(|| trainers::accelerate(tree));
    if let Some(draft) = own {
        return Some(Ok(draft));
    }
    if let Some(draft) = config::read(tree, catalog) {
        return Some(draft);
    }
    let flat = tree::flatten(tree);
    let pairs: Vec<(&str, &str)> =
        flat.iter().map(|(path, value)| (path.rsplit('.').next().unwrap_or(path), value.as_str())).collect();
    // NeMo's trainer says how many GPUs.
    let trainer = |key: &str| tree::at(tree, &format!("trainer.{key}")).and_then(serde_json::Value::as_u64);
    let nodes = trainer("num_nodes");
    let gpus = trainer("devices").map(|each| each.saturating_mul(nodes.unwrap_or(1)));
    if let Some(mut draft) = megatron::read(&pairs, gpus) {
        if let Some(nodes) = nodes {
            draft.set("nodes", nodes);
        }
        return Some(Ok(draft));
    }
    if let (Some(model), Some(options)) = (
        tree.get("model").and_then(serde_json::Value::as_str),
        tree.get("options").and_then(serde_json::Value::as_object),
    ) {
        return Some(Ok(engines::ollama_request(model, options)));
    }
    if let Some(command) = composed(tree) {
        return program(&command, None).map(Ok);
    }
    let has = |names: &[&str]| pairs.iter().any(|(name, _)| names.contains(&name.replace('-', "_").as_str()));
    let kind = if has(&["gpu_memory_utilization", "max_model_len", "max_num_seqs"]) {
        Kind::Vllm
    } else if has(&["mem_fraction_static", "model_path", "context_length"])
        && has(&["tp_size", "mem_fraction_static", "tp"])
    {
        Kind::Sglang
    } else if has(&["free_gpu_memory_fraction", "trt_llm_version", "kv_cache_config", "max_num_tokens"]) {
        Kind::Trtllm
    } else {
        return None;
    };
    Some(Ok(engines::settings(kind, &flat)))
}

/// A container in a compose file or a Kubernetes manifest, as the command it runs.
fn composed(tree: &Map<String, serde_json::Value>) -> Option<Command> {
    let mut open: Vec<&serde_json::Value> = tree.values().collect();
    let words = |value: Option<&serde_json::Value>| -> Vec<String> {
        match value {
            Some(serde_json::Value::String(text)) => shlex::split(text).unwrap_or_default(),
            Some(serde_json::Value::Array(items)) => items.iter().filter_map(tree::scalar).collect(),
            _ => vec![],
        }
    };
    let mut steps = 0;
    while let Some(value) = open.pop() {
        steps += 1;
        if steps > 10_000 {
            return None;
        }
        match value {
            serde_json::Value::Object(map) => {
                if let Some(image) = map.get("image").and_then(serde_json::Value::as_str) {
                    let mut command = Command { words: vec![image.to_owned()], ..Command::default() };
                    for key in ["entrypoint", "command", "args"] {
                        command.words.extend(words(map.get(key)));
                    }
                    for entry in words(map.get("environment")) {
                        command
                            .variables
                            .extend(entry.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())));
                    }
                    if let Some(variables) = map.get("environment").and_then(serde_json::Value::as_object) {
                        command.variables.extend(
                            variables.iter().filter_map(|(name, value)| Some((name.clone(), tree::scalar(value)?))),
                        );
                    }
                    for variable in map.get("env").and_then(serde_json::Value::as_array).into_iter().flatten() {
                        let field = |name: &str| variable.get(name).and_then(tree::scalar);
                        command.variables.extend(field("name").zip(field("value")));
                    }
                    return Some(command);
                }
                open.extend(map.values());
            }
            serde_json::Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    None
}

/// The program that a command starts.
fn program(command: &Command, allotted: Option<(u64, u64)>) -> Option<Draft> {
    engines::read(command).or_else(|| torchtune::command(command)).or_else(|| trainer(command, allotted))
}

/// Nodes and GPUs of each that Slurm allots, over all its directives.
fn allotment(commands: &[Command]) -> Option<(u64, u64)> {
    let slurm = |command: &&Command| {
        command.words.first().is_some_and(|program| matches!(program.as_str(), "sbatch" | "srun" | "salloc"))
    };
    let flags: Vec<(&str, &str)> = commands.iter().filter(slurm).flat_map(Command::flags).collect();
    let flag = |wanted: &[&str]| {
        let found = flags.iter().find(|(name, _)| wanted.contains(name));
        found.and_then(|(_, value)| value.rsplit(':').next()?.parse::<u64>().ok())
    };
    let nodes = flag(&["nodes", "N"]);
    let each = flag(&["gpus-per-node", "gres", "ntasks-per-node"]);
    (nodes.is_some() || each.is_some()).then(|| (nodes.unwrap_or(1), each.unwrap_or(1)))
}

/// How many GPUs a launcher starts processes on, and over how many machines.
fn launched(command: &Command, allotted: Option<(u64, u64)>) -> (Option<u64>, Option<u64>) {
    let flags = command.flags();
    let flag = |names: &[&str]| {
        let found = flags.iter().find(|(name, _)| names.contains(&name.replace('-', "_").as_str()));
        found.and_then(|(_, value)| value.split(':').next_back()?.parse::<u64>().ok()).filter(|count| *count > 0)
    };
    let variable = |names: &[&str]| names.iter().find_map(|name| command.variable(name)?.parse::<u64>().ok());
    let each = flag(&["nproc_per_node", "num_gpus"])
        .or_else(|| variable(&["NPROC_PER_NODE", "GPUS_PER_NODE", "GPU_NUM", "N_GPUS"]));
    let nodes = flag(&["nnodes", "num_nodes", "num_machines"]).or_else(|| variable(&["NNODES", "NUM_NODES"]));
    // `--include localhost:0,1,2`
    let included =
        flags.iter().find(|(name, _)| *name == "include").map(|(_, list)| list.split(['@', ',']).count() as u64);
    let processes = flag(&["num_processes"]);
    let visible = command.visible_gpus();
    let all = processes
        .or_else(|| each.map(|each| each.saturating_mul(nodes.unwrap_or(1))))
        .or(included)
        .or_else(|| allotted.map(|(nodes, each)| nodes.saturating_mul(each)))
        .or_else(|| variable(&["WORLD_SIZE"]))
        .or(visible);
    let nodes = nodes.or(allotted.map(|(nodes, _)| nodes)).filter(|nodes| *nodes > 1);
    (all, nodes)
}

/// A training script and what launches it.
fn trainer(command: &Command, allotted: Option<(u64, u64)>) -> Option<Draft> {
    let flags = command.flags();
    let (gpus, nodes) = launched(command, allotted);
    if let Some(mut draft) = megatron::read(&flags, gpus) {
        if let Some(nodes) = nodes {
            draft.set("nodes", nodes);
        }
        return Some(draft);
    }
    let starts = |name: &str| command.words.iter().any(|word| word == name || word.rsplit('/').next() == Some(name));
    let has = |name: &str| flags.iter().any(|(flag, _)| flag.replace('-', "_") == name);
    let factory = starts("llamafactory-cli") || has("finetuning_type") || has("cutoff_len");
    let kind = if factory {
        Kind::LlamaFactory
    } else if starts("deepspeed") || (has("deepspeed") && !starts("accelerate")) {
        Kind::Deepspeed
    } else {
        Kind::Accelerate
    };
    let mut draft = trainers::train(kind);
    for (name, value) in &flags {
        draft.follow(trainers::TRAINER, name, value);
    }
    if starts("accelerate") {
        trainers::accelerate_flags(&mut draft, &flags);
    }
    let launcher = [
        "torchrun",
        "deepspeed",
        "accelerate",
        "llamafactory-cli",
        "axolotl",
        "swift",
        "srun",
        "torch.distributed.launch",
        "torch.distributed.run",
    ]
    .iter()
    .any(|name| starts(name));
    let understood = draft.weight();
    if understood < 2 && !(launcher && understood + usize::from(gpus.is_some()) >= 1) {
        return None;
    }
    if starts("swift") {
        draft.set("framework", "swift");
    } else if kind == Kind::Deepspeed {
        draft.set("framework", "deepspeed");
    }
    trainers::finish_trainer(&mut draft);
    if let Some(gpus) = gpus {
        draft.set("gpus", gpus);
    }
    if let Some(nodes) = nodes {
        draft.set("nodes", nodes);
    }
    Some(draft)
}

/// Calls that a Python script is set up with.
fn python(text: &str) -> Vec<Draft> {
    if let Some(pairs) = tree::call(text, "LLM").filter(|pairs| pairs.iter().any(|(name, _)| name == "model")) {
        return vec![engines::settings(Kind::Vllm, &pairs)];
    }
    let calls = [
        "TrainingArguments",
        "SFTConfig",
        "DPOConfig",
        "GRPOConfig",
        "ORPOConfig",
        "KTOConfig",
        "Seq2SeqTrainingArguments",
        "BitsAndBytesConfig",
        "FastLanguageModel.from_pretrained",
        "LoraConfig",
    ];
    let found: Vec<(&str, Vec<(String, String)>)> =
        calls.iter().filter_map(|name| Some((*name, tree::call(text, name)?))).collect();
    if found.is_empty() {
        return vec![];
    }
    let only_lora = found.iter().all(|(name, _)| *name == "LoraConfig");
    let pairs: Vec<(String, String)> = found.iter().flat_map(|(_, pairs)| pairs.clone()).collect();
    let mut draft = trainers::keywords(if only_lora { Kind::PeftConfig } else { Kind::Accelerate }, &pairs);
    for (name, _) in &found {
        match *name {
            "DPOConfig" => draft.set("stage", "dpo"),
            "GRPOConfig" => draft.set("stage", "grpo"),
            "ORPOConfig" => draft.set("stage", "orpo"),
            "KTOConfig" => draft.set("stage", "kto"),
            "FastLanguageModel.from_pretrained" => draft.set("framework", "unsloth"),
            _ => {}
        }
    }
    let pretrained = text.split("from_pretrained(").nth(1).map(str::trim_start);
    let quoted = pretrained.and_then(|rest| rest.strip_prefix(['"', '\''])?.split(['"', '\'']).next());
    draft.model = draft.model.or_else(|| quoted.map(str::to_owned));
    trainers::finish_trainer(&mut draft);
    vec![draft]
}

/// The drafts as one: each knob from the piece that says most.
fn merge(mut drafts: Vec<Draft>, catalog: &'static Catalog) -> Result<Pasted, Problem> {
    drafts.sort_by_key(|draft| std::cmp::Reverse(draft.weight()));
    let nothing = Pasted {
        kind: None,
        understood: Map::new(),
        asked: vec![],
        assumed: vec![],
        settings: Settings::new(Verb::Infer),
    };
    let Some(kind) = drafts.first().map(|draft| draft.kind) else { return Ok(nothing) };
    // Cards alone are asked what fits on them; a message alone tells what ran.
    let work = drafts.iter().find(|draft| draft.verb != Verb::Fit && draft.kind != Kind::Oom);
    let verb =
        work.or_else(|| drafts.iter().find(|draft| draft.verb != Verb::Fit)).map_or(Verb::Fit, |draft| draft.verb);
    let mut pasted = Pasted { kind: Some(kind), settings: Settings::new(verb), ..nothing };
    let mut shape = Map::new();
    for draft in &drafts {
        pasted.take(draft, catalog)?;
        shape.extend(draft.facts.clone());
    }
    pasted.settle(&drafts, catalog);
    for knob in KNOBS {
        if let Some(value) = pasted.settings.get(knob.key) {
            let said = format!("{}={value}", knob.key);
            if !pasted.assumed.contains(&said) {
                pasted.understood.insert(knob.key.to_owned(), plain(value));
            }
        }
    }
    pasted.understood.extend(shape);
    Ok(pasted)
}

fn plain(value: &Value) -> serde_json::Value {
    match value {
        Value::Count(count) => json!(count),
        Value::Number(number) => json!(number),
        Value::Choice(word) => json!(word),
        Value::Text(text) => json!(text),
        Value::List(items) => json!(items.join(",")),
        Value::Max => json!("max"),
    }
}

impl Pasted {
    /// Takes what a draft says and no piece before it said.
    fn take(&mut self, draft: &Draft, catalog: &'static Catalog) -> Result<(), Problem> {
        if let (None, Some(name)) = (self.settings.get("model"), &draft.model) {
            self.take_model(name, draft, catalog);
        }
        for (key, typed) in &draft.knobs {
            let Some(knob) = knobs::find(key) else { continue };
            if self.settings.get(key).is_some() || !knob.scope.serves(self.settings.verb) {
                continue;
            }
            match knob.read(typed, catalog) {
                Ok(value) => drop(self.settings.values.insert(knob.key, value)),
                // A name from elsewhere that no row has is asked for; an impossible figure is a fault.
                Err(_)
                    if matches!(
                        knob.kind,
                        KnobKind::Row(_) | KnobKind::Choice(_) | KnobKind::Gpu | KnobKind::Model
                    ) =>
                {
                    self.ask(knob.key)
                }
                Err(problem) => return Err(problem),
            }
        }
        for key in &draft.asked {
            self.ask(key);
        }
        self.assumed.extend(draft.assumed.iter().cloned());
        Ok(())
    }

    fn take_model(&mut self, name: &str, draft: &Draft, catalog: &Catalog) {
        if name == "custom" {
            self.settings.values.insert("model", Value::Text(name.to_owned()));
            return;
        }
        // Ollama's names without a tag are its latest.
        let unknown = catalog.names().model(name).id.is_none();
        let name = draft.alias.as_deref().filter(|_| unknown).unwrap_or(name);
        let untagged = draft.kind == Kind::Ollama && !name.contains([':', '/', '.'])
            || (draft.kind == Kind::Ollama && !name.contains([':', '/']) && !name.ends_with(".gguf"));
        let found = catalog.names().model(&if untagged { format!("{name}:latest") } else { name.to_owned() });
        let Some(id) = found.id else { return };
        if found.outcome == Outcome::Ambiguous {
            self.assumed.push(format!("model={id}"));
        }
        self.settings.values.insert("model", Value::Text(id));
        let named = found.quant.as_deref().and_then(|quant| catalog.names().format(quant, catalog));
        let Some(packed) = named.filter(|row| row.name != "none").map(|row| row.name.clone()) else { return };
        match self.settings.verb {
            Verb::Infer => {
                // The repository's own name is more exact than a flag's general one.
                let general = matches!(draft.get("quant"), None | Some("gptq-int4" | "fp8"));
                if general {
                    self.settings.values.insert("quant", Value::Text(packed));
                }
            }
            Verb::Train if packed == "bnb-nf4" && draft.get("method") == Some("lora") => {
                self.settings.values.insert("method", Value::Choice("qlora"));
                self.settings.values.insert("quant", Value::Text(packed));
            }
            _ => {}
        }
    }

    fn ask(&mut self, key: &'static str) {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
    }

    /// What is still needed once every piece was read.
    fn settle(&mut self, drafts: &[Draft], _catalog: &Catalog) {
        let needed: &[&'static str] = match self.settings.verb {
            Verb::Train => &["model", "gpu", "seq", "batch"],
            Verb::Infer | Verb::Fit => &["model", "gpu"],
            _ => &[],
        };
        for key in needed {
            self.ask(key);
        }
        let settings = &self.settings;
        let has = |key: &str| settings.get(key).is_some();
        // Two of micro batch, accumulation and global batch fix the third.
        let batched = has("batch") || (has("global_batch") && has("accum"));
        self.asked.retain(|key| !has(key) && !(*key == "batch" && batched));
        let first = drafts.first().map(|draft| draft.kind);
        if self.settings.verb == Verb::Fit && first == Some(Kind::NvidiaSmi) {
            self.asked.retain(|key| *key != "model");
        }
    }
}
