# plan

# Why an option stands in the list
plan-take-cheapest = { $nodes ->
    [1] our pick: the cheapest, in one machine
   *[other] our pick: the cheapest
}
plan-take-cheapest-hour = our pick: the cheapest per hour
plan-take-fewest = { $gpus ->
    [1] our pick: one GPU is enough
   *[other] our pick: the fewest GPUs
}
plan-take-named = { $gpus ->
    [1] our pick: one of your card is enough
   *[other] our pick: the fewest of your card
}
plan-take-even = our pick: layers and batches divide evenly
plan-take-fastest = our pick: the fastest
plan-fewest-named = the fewest of your card that do it all
plan-fewest-gpus = fewest GPUs
plan-cheapest-hour = cheapest per hour
plan-cheapest-run = cheapest per run
plan-cheapest-tokens = cheapest per M tokens
plan-fastest = fastest
plan-smallest-owned = the fewest of these cards
plan-smallest-datacenter = fewest data-center cards
plan-smallest-workstation = fewest workstation cards
plan-smallest-consumer = fewest consumer cards
plan-smallest-unified = fewest with unified memory

# What the options leave out
plan-note-patience = Set-ups that would train for longer than { $days } days are left out; deadline= sets another limit.
plan-note-deadline-open = Whether a deadline is met depends on how much is trained: say tokens= or samples=.
plan-note-no-kernels = { $backend } has no kernels for { $quant } on { $gpu }.
plan-note-one-kind = Each set-up is on cards of one kind: mixed, all would wait for the slowest and hold no more than the smallest.
plan-note-idle = By themselves these do not run it as asked: { $cards }.

# What makes it fit
plan-advice-checkpointing = Checkpointing on
plan-advice-batch = Micro batch 1, accumulate { $accum }
plan-advice-larger-batch = Micro batch { $batch }
plan-advice-fill = Accumulate { $accum } micro batches
plan-advice-loss = Fused cross-entropy
plan-advice-attn = Flash attention
plan-advice-zero = Shard with { $change }
plan-advice-optimizer = 8-bit AdamW
plan-advice-offload-optimizer = Optimizer on the CPU
plan-advice-offload-cpu = Optimizer and weights on the CPU
plan-advice-lora = LoRA
plan-advice-qlora = QLoRA
plan-advice-lora-checkpointing = LoRA with checkpointing
plan-advice-qlora-checkpointing = QLoRA with checkpointing
plan-advice-fraction = Memory fraction { $fraction }
plan-advice-max-seqs = { $seqs } sequences at once at most
plan-advice-layout = Layout { $changes }
plan-advice-cp = Each sequence over { $gpus } GPUs
plan-advice-eager = No CUDA graphs
plan-advice-kv = KV cache in { $kv }
plan-advice-gpu-layers = As many layers on the GPU as fit, the others on the CPU
plan-advice-cpu-moe = Experts of as few layers as needed on the CPU
plan-advice-concurrency = { $requests ->
    [1] One request at a time
   *[other] { $requests } requests at a time
}
plan-advice-quant = Weights in { $quant }
plan-advice-seq = Length { $seq }
plan-advice-gpus = { $gpus } GPUs
plan-advice-gpus-with = { $gpus } GPUs, { $changes }
plan-advice-together = Together: { $changes }

# Targets out of reach
plan-miss-ttft = first token in { $asked } ms is out of reach; the nearest is { $nearest } ms
plan-miss-tpot = { $asked } ms per token is out of reach; the nearest is { $nearest } ms
plan-miss-tokens-per-s = { $asked } tok/s is out of reach; the most is { $nearest } tok/s
plan-miss-deadline = { $asked } h is out of reach; the soonest is { $nearest } h
plan-miss-budget = ${ $asked } is not enough; the least is ${ $nearest }
plan-miss-max-gpus = { $asked } GPUs are not enough; the fewest are { $nearest }
plan-miss-vendor = nothing of this vendor runs it; { $gpus } × { $gpu } does
plan-miss-class = nothing of this class runs it; { $gpus } × { $gpu } does
plan-miss-fleet = the fleet does not run it; { $gpus } × { $gpu } does

problem-max-needs-gpu = { $knob }=max needs a card to fill: name one with gpu=
problem-fit-needs-gpu = Which card? Name one, such as gpu=rtx-4090.
problem-compare-one = There is nothing to compare: give two to four lines, or a list such as gpu=a,b
problem-compare-many = { $given } set-ups are too many to compare side by side; four at most
