//! What starts a training script, on how many GPUs, and with which settings.

use super::draft::Draft;
use super::shell::Command;
use super::{Kind, accelerate, megatron, trainers};

/// Nodes and GPUs of each that Slurm allots, over all its directives.
pub fn allotment(commands: &[Command]) -> Option<(u64, u64)> {
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
pub fn launched(command: &Command, allotted: Option<(u64, u64)>) -> (Option<u64>, Option<u64>) {
    let flags = command.flags();
    let flag = |names: &[&str]| {
        let found = flags.iter().find(|(name, _)| names.contains(&name.replace('-', "_").as_str()));
        found.and_then(|(_, value)| value.split(':').next_back()?.parse::<u64>().ok()).filter(|count| *count > 0)
    };
    let variable = |names: &[&str]| names.iter().find_map(|name| command.variable(name)?.parse::<u64>().ok());
    let each = flag(&[
        "nproc_per_node",
        "num_gpus",
        "actor_num_gpus_per_node",
        "actor.num_gpus_per_node",
        "gpus_per_node",
        "devices",
    ])
    .or_else(|| variable(&["NPROC_PER_NODE", "GPUS_PER_NODE", "GPU_NUM", "N_GPUS"]));
    let nodes = flag(&["nnodes", "num_nodes", "num_machines", "actor_num_nodes", "actor.num_nodes"])
        .or_else(|| variable(&["NNODES", "NUM_NODES"]))
        .or(allotted.map(|(nodes, _)| nodes));
    // `--include localhost:0,1,2`
    let included =
        flags.iter().find(|(name, _)| *name == "include").map(|(_, list)| list.split(['@', ',']).count() as u64);
    let runs = |name: &str| command.words.iter().any(|word| word.rsplit('/').next() == Some(name));
    let processes = flag(&["num_processes"]).or_else(|| flag(&["np"]).filter(|_| runs("mpirun") || runs("mpiexec")));
    let visible = command.visible_gpus();
    let all = processes
        .or_else(|| each.map(|each| each.saturating_mul(nodes.unwrap_or(1))))
        .or(included)
        .or_else(|| allotted.map(|(nodes, each)| nodes.saturating_mul(each)))
        .or_else(|| variable(&["WORLD_SIZE"]))
        .or(visible);
    let nodes = nodes.filter(|nodes| *nodes > 1);
    (all, nodes)
}

/// The stage that a script or a verb is named for: `trl/scripts/dpo.py`, `trl sft`, `swift pt`.
pub fn stage(words: &[String]) -> Option<&'static str> {
    const NAMES: &[(&str, &str)] = &[
        ("pt", "pretrain"),
        ("sft", "sft"),
        ("dpo", "dpo"),
        ("orpo", "orpo"),
        ("cpo", "cpo"),
        ("kto", "kto"),
        ("ppo", "ppo"),
        ("grpo", "grpo"),
        ("reward", "rm"),
        ("rm", "rm"),
    ];
    let named = |name: &str| NAMES.iter().find(|(known, _)| *known == name).map(|(_, stage)| *stage);
    let program = |word: &str| matches!(word.rsplit('/').next(), Some("trl" | "swift"));
    let verb = |pair: &[String]| program(&pair[0]).then(|| named(&pair[1])).flatten();
    // `trl/scripts/dpo.py`, `openrlhf.cli.train_dpo`
    let script = |word: &String| {
        let name = word.rsplit('/').next()?;
        let name = name.strip_suffix(".py").or_else(|| name.rsplit_once(".cli.").map(|(_, name)| name))?;
        name.split('_').find_map(named)
    };
    words.windows(2).find_map(verb).or_else(|| words.iter().find_map(script))
}

/// The adapters that a script is named for: `finetune_lora.py`, `mlx_lm.lora`.
fn adapters(words: &[String]) -> Option<&'static str> {
    let named = |word: &&String| word.ends_with(".py") || word.starts_with("mlx_lm.");
    let script = words.iter().find(named)?.rsplit('/').next()?.to_lowercase();
    ["qlora", "lora"].into_iter().find(|name| script.contains(name))
}

/// A training script and what launches it.
pub fn trainer(command: &Command, allotted: Option<(u64, u64)>) -> Option<Draft> {
    let flags = command.flags();
    let (gpus, nodes) = launched(command, allotted);
    let starts = |name: &str| command.words.iter().any(|word| word == name || word.rsplit('/').next() == Some(name));
    // NeMo's overrides: `trainer.devices=8 model.micro_batch_size=1`.
    let overrides = command.words.iter().filter(|word| word.starts_with("model.") || word.starts_with("trainer."));
    let overrides: Vec<(&str, &str)> = overrides.filter_map(|word| word.split_once('=')).collect();
    let trainer = |key: &str| overrides.iter().find(|(path, _)| *path == key)?.1.parse::<u64>().ok();
    let nodes = nodes.or_else(|| trainer("trainer.num_nodes"));
    let gpus = trainer("trainer.devices").map(|each| each.saturating_mul(nodes.unwrap_or(1))).or(gpus);
    let named = overrides.iter().map(|(path, value)| (path.rsplit('.').next().unwrap_or(path), *value));
    let arguments: Vec<(&str, &str)> = flags.iter().copied().chain(named).collect();
    if let Some(mut draft) = megatron::read(&arguments, gpus) {
        if starts("megatron") {
            megatron::swift(&mut draft, &flags);
        }
        draft.set_some("nodes", nodes);
        return Some(draft);
    }
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
    // `llamafactory-cli train examples/train_full/llama3_full_sft.yaml model_name_or_path=…`
    let file = command.words.iter().find(|word| factory && word.ends_with(".yaml"));
    for word in file.iter().flat_map(|file| file.split(['_', '/', '.'])) {
        draft.follow(trainers::TRAINER, "stage", word);
        draft.follow(trainers::TRAINER, "finetuning_type", word);
    }
    let changed = command.words.iter().filter(|_| factory).filter_map(|word| word.split_once('='));
    for (name, value) in flags.iter().copied().chain(changed) {
        draft.follow(trainers::TRAINER, name, value);
    }
    if starts("accelerate") {
        accelerate::flags(&mut draft, &flags);
    }
    if draft.get("method").is_none()
        && let Some(method) = adapters(&command.words)
    {
        draft.set("method", method);
    }
    let launcher = [
        "torchrun",
        "colossalai",
        "mlx_lm.lora",
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
    // Many a program takes a model; a trainer is told more.
    if draft.knobs.is_empty() && !launcher {
        return None;
    }
    if understood < 2 && !(launcher && understood + usize::from(gpus.is_some()) >= 1) {
        return None;
    }
    if starts("swift") {
        draft.set("framework", "swift");
    } else if kind == Kind::Deepspeed {
        draft.set("framework", "deepspeed");
    }
    if let (Some(stage), None) = (stage(&command.words), draft.get("stage")) {
        draft.set("stage", stage);
    }
    draft.model = draft.model.take().or_else(|| draft.alias.clone());
    trainers::finish_trainer(&mut draft);
    draft.set_some("gpus", gpus);
    draft.set_some("nodes", nodes);
    Some(draft)
}
