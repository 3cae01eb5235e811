# paste

paste-too-long = 内容超过 { $limit } KiB。只贴关键部分即可：配置、启动命令或报错。
paste-config-lacks = 这份 config.json 缺少 { $fields }。补上这些字段，或直接给出结构：custom layers=32 hidden=4096 heads=32 ffn=14336 vocab=128256
paste-broken = 这份 { $format } 在第 { $line } 行第 { $column } 列出错。请改好该处，或粘贴完整内容。
paste-too-deep = 嵌套超过 { $limit } 层。
paste-aliases = 这些 YAML 别名展开后太大，请把它们代表的内容直接写出来再粘贴。
paste-config-impossible = 这份 config.json 描述的模型不可能存在，请检查 { $field }。

# What an out-of-memory message says of its cause
oom-beyond-card = 单个张量要 { $tried }，超过整张卡的 { $total }：通常是注意力分数或 logits 一次性展开。可试 attn=flash、loss=chunked 或缩短 seq。
oom-in-pieces = 有 { $idle } 已预留但未使用，碎片太小放不下 { $tried }：设置 PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True。
oom-short = 仅这个张量就差 { $short }，之后的张量还需要空间。
oom-change-train = 腾出显存的办法，由易到难：batch=1 配合 accum、checkpointing=on、loss=fused、optimizer=paged-adamw-8bit、method=qlora、多卡 zero=3。
oom-change-infer = 腾出显存的办法：缩短 seq、减小 max_seqs 或 max_batched_tokens、kv=fp8、eager=on、量化权重、增大 tp。
oom-others = 其他进程占用了这张卡的 { $others }：先结束它们，或在规划时扣除。
oom-cards = 显示 { $total } 显存的卡：{ $cards }。这里按第一种计算；若不是，请用 gpu= 指明。
paste-other-server = 粘贴内容里还启动了另一个服务：{ $line }
