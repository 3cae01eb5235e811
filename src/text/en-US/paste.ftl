# paste: faults in what was pasted

paste-too-long = That is longer than { $limit } KiB. Paste the part that matters: the configuration, the command or the message.
paste-config-lacks = This config.json does not give { $fields }. Add them, or give the shape: custom layers=32 hidden=4096 heads=32 ffn=14336 vocab=128256
paste-broken = This { $format } breaks at line { $line }, column { $column }. Mend it there, or paste it whole.
paste-too-deep = That is nested deeper than { $limit } levels.
paste-aliases = These YAML aliases stand for too much. Paste the file with what they stand for written out.
paste-config-impossible = This config.json describes no model that can be: look at { $field }.

# What an out-of-memory message says of its cause
oom-beyond-card = One tensor of { $tried } is more than the whole card of { $total }: attention scores or logits made at once. Try attn=flash, loss=chunked or a shorter seq.
oom-in-pieces = { $idle } lay reserved but unused, in pieces too small for { $tried }: set PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True.
oom-short = { $short } were missing for this one tensor; what comes after it needs room, too.
oom-change-train = What makes room, the cheapest first: batch=1 with accum, checkpointing=on, loss=fused, optimizer=paged-adamw-8bit, method=qlora, more GPUs with zero=3.
oom-change-infer = What makes room: a shorter seq, fewer max_seqs or max_batched_tokens, kv=fp8, eager=on, quantised weights, a higher tp.
oom-others = Other processes hold { $others } of this card: end them, or leave them out of the plan.
oom-cards = Cards that show { $total }: { $cards }. The first is taken; say gpu= if it is another.
paste-other-server = This paste starts another server, too: { $line }
