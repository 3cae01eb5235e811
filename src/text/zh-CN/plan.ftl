# plan

# 每个选项的理由
plan-take-cheapest = { $nodes ->
    [1] 首选：最省，且单机就够
   *[other] 首选：最省
}
plan-take-cheapest-hour = 首选：每小时最便宜
plan-take-fewest = { $gpus ->
    [1] 首选：单卡就够
   *[other] 首选：卡数最少
}
plan-take-named = { $gpus ->
    [1] 首选：指定的卡一张就够
   *[other] 首选：指定的卡至少要这么多
}
plan-take-even = 首选：这个卡数便于均匀切分
plan-take-fastest = 首选：最快
plan-fewest-named = 指定的卡至少要这么多才能全部满足
plan-fewest-gpus = 卡数最少
plan-cheapest-hour = 每小时最便宜
plan-cheapest-run = 整个任务最省
plan-cheapest-tokens = 每百万 token 最省
plan-fastest = 最快
plan-smallest-owned = 这种卡最少要这么多
plan-smallest-datacenter = 数据中心卡里用得最少
plan-smallest-workstation = 工作站卡里用得最少
plan-smallest-consumer = 消费级卡里用得最少
plan-smallest-unified = 统一内存设备里用得最少

# 没有列出的方案
plan-note-patience = 训练超过 { $days } 天的方案没有列出；可用 deadline= 另设期限。
plan-note-deadline-open = 能否按期完成取决于训练量：请给出 tokens= 或 samples=。
plan-note-no-kernels = { $backend } 在 { $gpu } 上没有 { $quant } 的算子。
plan-note-one-kind = 每个方案只用一种卡：混用时快卡要等慢卡，显存也只能按最小的算。
plan-note-idle = 单独用这些卡无法按要求运行：{ $cards }。

# 怎样才放得下
plan-advice-checkpointing = 打开激活重计算
plan-advice-batch = 微批设为 1，梯度累积 { $accum } 步
plan-advice-larger-batch = 微批设为 { $batch }
plan-advice-fill = 梯度累积 { $accum } 步
plan-advice-loss = 融合交叉熵
plan-advice-attn = 用 Flash Attention
plan-advice-zero = 用 { $change } 分片
plan-advice-optimizer = 8-bit AdamW
plan-advice-offload-optimizer = 优化器放到 CPU
plan-advice-offload-cpu = 优化器和参数都放到 CPU
plan-advice-lora = 改用 LoRA
plan-advice-qlora = 改用 QLoRA
plan-advice-lora-checkpointing = 改用 LoRA 并打开激活重计算
plan-advice-qlora-checkpointing = 改用 QLoRA 并打开激活重计算
plan-advice-fraction = 显存比例提到 { $fraction }
plan-advice-max-seqs = 同时处理的序列数降到 { $seqs }
plan-advice-layout = 并行方式改为 { $changes }
plan-advice-cp = 每条序列切到 { $gpus } 张卡（上下文并行）
plan-advice-eager = 关闭 CUDA Graph
plan-advice-kv = KV 缓存用 { $kv }
plan-advice-gpu-layers = 尽量多的层放 GPU，其余放 CPU
plan-advice-cpu-moe = 尽量少的层把专家放 CPU
plan-advice-concurrency = 并发降到 { $requests } 路
plan-advice-quant = 权重用 { $quant }
plan-advice-seq = 长度改为 { $seq }
plan-advice-gpus = 用 { $gpus } 张卡
plan-advice-gpus-with = 用 { $gpus } 张卡，{ $changes }
plan-advice-together = 同时：{ $changes }

# 达不到的目标
plan-miss-ttft = 首 token { $asked } ms 达不到，最接近的是 { $nearest } ms
plan-miss-tpot = 每 token { $asked } ms 达不到，最接近的是 { $nearest } ms
plan-miss-tokens-per-s = { $asked } tok/s 达不到，最多 { $nearest } tok/s
plan-miss-deadline = { $asked } 小时内完不成，最快 { $nearest } 小时
plan-miss-budget = ${ $asked } 不够，最少要 ${ $nearest }
plan-miss-max-gpus = { $asked } 张卡不够，最少要 { $nearest } 张
plan-miss-vendor = 这家厂商的卡都跑不了；{ $gpus } × { $gpu } 可以
plan-miss-class = 这一类卡都跑不了；{ $gpus } × { $gpu } 可以
plan-miss-fleet = 现有的卡跑不了；{ $gpus } × { $gpu } 可以

problem-max-needs-gpu = { $knob }=max 要知道用哪张卡：请用 gpu= 指定
problem-fit-needs-gpu = 哪张卡？请写明型号，例如 gpu=rtx-4090。
problem-compare-one = 没有可比的：请给两到四行，或用列表，如 gpu=a,b
problem-compare-many = { $given } 个方案并排比较太多，最多四个
