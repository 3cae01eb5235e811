//! A script on one GPU: unsloth/models/loader.py, llama.py; `SFTConfig` of TRL.

use super::{checkpointing, loads, nf4, target_modules, trainer_optimizer};
use crate::request::{LoraKind, Method, Offload, Request, Stage, Train};

pub fn recipe(request: &Request, train: &Train) -> Option<String> {
    let one = request.hardware.gpus == 1 && train.offload == Offload::None;
    (one && train.stage == Stage::Sft && loads(train)).then_some(())?;
    let (id, seq, four_bit) = (&request.model.id, request.seq, python(nf4(train)));
    let adapters = match &train.method {
        Method::Full => String::new(),
        Method::Freeze => return None,
        Method::Lora(lora) if lora.kind != LoraKind::Lora => return None,
        Method::Lora(lora) => format!(
            "model = FastLanguageModel.get_peft_model(\n    model,\n    r={},\n    lora_alpha={},\n    target_modules={:?},\n    use_gradient_checkpointing={},\n)\n",
            lora.rank,
            request.settings.number("lora_alpha").unwrap_or(lora.rank as f64),
            target_modules(lora.targets),
            if checkpointing(train) { "\"unsloth\"" } else { "False" },
        ),
    };
    let full = train.method == Method::Full;
    Some(format!(
        "from unsloth import FastLanguageModel\nfrom trl import SFTConfig, SFTTrainer\n\n\
         model, tokenizer = FastLanguageModel.from_pretrained(\n    \"{id}\",\n    max_seq_length={seq},\n    load_in_4bit={four_bit},\n    full_finetuning={},\n)\n\
         {adapters}\
         trainer = SFTTrainer(\n    model=model,\n    processing_class=tokenizer,\n    train_dataset=DATASET,\n    args=SFTConfig(\n        max_length={seq},\n        per_device_train_batch_size={},\n        gradient_accumulation_steps={},\n        optim=\"{}\",\n        packing={},\n    ),\n)\ntrainer.train()",
        python(full),
        train.micro_batch_size,
        train.gradient_accumulation,
        trainer_optimizer(train)?,
        python(train.packing),
    ))
}

fn python(on: bool) -> &'static str {
    if on { "True" } else { "False" }
}
