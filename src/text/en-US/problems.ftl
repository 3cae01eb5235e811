# problems: what was wrong with a line, and what is allowed

problem-unknown-knob = I know no knob “{ $typed }”. “help” lists them all.
problem-unknown-knob-near = I know no knob “{ $typed }”. Near: { $near }. “help” lists them all.
problem-not-a-number = { $knob } takes a number; “{ $typed }” is none.
problem-not-whole = { $knob } takes a whole number; “{ $typed }” is none.
problem-out-of-range = { $knob }={ $typed } is out of range: from { $min } to { $max }.
problem-not-a-choice = { $knob } cannot be “{ $typed }”. It takes: { $allowed }
problem-one-word = { $knob } takes one word without spaces.
problem-given-twice = { $knob } cannot be both { $first } and { $second }.
problem-other-work = { $knob } is for “{ $other }” and means nothing to “{ $verb }”: leave it out, or ask “{ $other }”.
problem-no-further = { $knob } is { $now } and ends at { $limit }.
problem-no-such-size = I know no model of this family with { $typed } parameters.
problem-no-such-size-near = I know no model of this family with { $typed } parameters. Near: { $near }
problem-no-such-row = { $knob } knows no “{ $typed }”.

problem-no-model = Which model? Give a name (llama-3-8b), a Hugging Face id, a size (7b), or “custom” with its shape.
problem-one-model = One model at a time; “compare” puts several side by side.
problem-one-gpu = One kind of GPU at a time; “compare” puts several side by side.
problem-custom-lacks = A custom model needs at least layers and hidden (and expert_ffn beside experts). Missing: { $missing }
problem-heads-of-hidden = { $heads } heads do not divide the hidden size { $hidden }; give head_dim where they need not.
problem-kv-heads = { $kv_heads } key/value heads do not divide { $heads } heads.
problem-top-k = A token cannot go to { $top_k } of { $experts } experts.
problem-dense-layers = { $dense_layers } dense layers are more than the model’s { $layers } layers.
problem-model-too-large = That is more than { $most } parameters, the most I estimate.
problem-shape = This shape is no model: { $fault }

problem-too-many-gpus = { $gpus } GPUs are more than I plan for.
problem-nodes-do-not-divide = { $gpus } GPUs do not spread evenly over { $nodes } nodes.
problem-degree-of-gpus = { $knob }={ $degree } does not divide { $gpus } GPUs.
problem-degrees-product = The parallel degrees make { $product } ranks, but there are { $gpus } GPUs.
problem-tp-heads = tp={ $degree } does not divide the attention heads of { $model }.
problem-pp-layers = pp={ $degree } is more stages than the model has layers ({ $layers }).
problem-ep-experts = ep={ $degree } does not divide the model’s { $experts } experts.
problem-gpu-lacks-precision = { $gpu } has no { $precision } units; compute in { $instead } instead.

problem-rank-over-hidden = A LoRA rank of { $rank } is over the hidden size { $hidden }: such an adapter is no smaller than the weight.
problem-global-batch = global_batch={ $global } contradicts batch × accum × data-parallel ranks = { $product }.
problem-zero-pipeline = ZeRO-{ $stage } shards gradients, which pipeline parallelism does not allow: use zero=1, or no pipeline.
problem-qlora-unquantised = QLoRA trains over quantised weights; over whole ones it is LoRA: method=lora.
problem-zero-and-sharding = zero is DeepSpeed’s sharding and sharding is FSDP’s; ask for one of them.
problem-quantised-weights = Quantised weights are frozen, so method={ $method } cannot train them.
problem-gguf-training = { $quant } is a GGUF type for inference; no framework trains adapters over it.
problem-bnb-tensor-parallel = bitsandbytes packs each matrix of { $quant } whole, so tensor parallelism cannot split it.
