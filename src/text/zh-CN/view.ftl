# 单位
unit-microseconds = µs
unit-milliseconds = ms
unit-seconds = s
unit-minutes = 分钟
unit-hours = 小时
unit-days = 天
unit-years = 年

# 结论
each-gpu = （每卡）
verdict-trains = ✅ 可以训练：{ $used } / { $card }{ $each }，估计 { $likely } GiB
verdict-trains-shown = ✅ 可以训练：需要 { $needed } / { $card }{ $each }，显存占用会显示 { $used } GiB，估计 { $likely } GiB
verdict-serves-plain = ✅ 可以部署：{ $used } / { $card }{ $each }，估计 { $likely } GiB
verdict-serves = ✅ 可以部署：需要 { $needed } / { $card }{ $each }，显存占用会显示 { $used } GiB
verdict-tight = ⚠️ 余量很小：{ $needed } / { $card }{ $each }，只剩 { $spare }，估计 { $likely } GiB
verdict-short = ❌ 显存不足：差 { $by }{ $each }，需要 { $needed } GiB，显卡可用 { $card }
verdict-no-start = ❌ 无法启动：放下权重后，剩余显存装不下一条 { $seq } token 的序列
verdict-no-gpu-shown = 📐 需要 { $needed } GiB{ $each }；显存充足时占用会显示 { $used } GiB，估计 { $likely } GiB
verdict-no-gpu = 📐 需要 { $needed } GiB{ $each }，估计 { $likely } GiB

# 显存构成
part-weights = 权重
part-gradients = 梯度
part-optimizer = 优化器状态
part-activations = 激活
part-logits = Logits
part-buffers = 缓冲区
part-kv-cache = KV 缓存
part-overhead = 框架开销
row-per-gpu = 单卡合计
row-in-use = 实际占用
row-needed = 实际需要
of-card = / { $card }

# 小标题
heading-speed = 速度
heading-time = 时间
heading-capacity = 容量
heading-cost = 成本
heading-limit = 瓶颈
heading-knee = 不同并发下
heading-host = 内存占用
heading-advice = 可行方案
heading-roomier = 怎样腾出余量
heading-faster = 怎样更快
heading-recommended = 推荐
heading-out-of-reach = 达不到的目标
heading-assumed = 假设
heading-unread = 未识别
heading-notes = 说明
heading-changed = 改动
changed-nothing = 无，{ $words } 本来就是这样
heading-compute = 计算量
heading-step = 单步耗时
heading-try = 试试
heading-weights = 各格式权重大小
heading-serves = 部署最少需要
heading-tunes = 微调最少需要
heading-source = 来源
heading-sources = 来源
heading-layout = 并行方式
heading-risk = 风险
heading-runs = 单卡能跑

# 标题
title-compare = 对比
title-compare-of = { $model } 对比
title-fit = { $machine } · { $memory }
title-recipe = 启动配置
method-full = 全参微调
method-pretrain = 预训练
method-freeze = 冻结微调
engine-vllm = vLLM
engine-sglang = SGLang
engine-trtllm = TensorRT-LLM
engine-tgi = TGI
engine-transformers = Transformers
engine-pytorch = PyTorch
engine-fastchat = FastChat
engine-lmdeploy = LMDeploy
engine-ollama = Ollama

# 速度、时间、费用
speed-per-gpu = 单卡 { $speed }
speed-first-token = 首 token { $time }
speed-each-token = 每 token { $time }
speed-at = { $requests } 路并发
speed-at-most = KV 缓存占满时
time-step = 每步 { $step }
time-total = { $tokens } token 需 { $total }
time-gpu-hours = { $hours } 卡时
time-goodput = 计入重启和评测 { $total }
about-money = 约 { $usd }
money-per-hour = { $usd }/小时
money-per-run = 每次训练 { $usd }
money-per-million = 每百万 token { $usd }
capacity-requests = { $seq } 上下文最多 { $requests } 路并发
capacity-tokens = KV 缓存共 { $tokens } token
capacity-longest = 单条最长 { $seq }
limit-weights = 权重已占满显存
limit-kv-cache = KV 缓存已满，更多请求需要排队
limit-bandwidth = 解码受显存带宽限制
limit-compute = 受算力限制
limit-launch = 受 kernel 启动开销限制，批次太小
limit-communication = 受卡间通信限制
limit-host = 受内存带宽限制：不在显卡上的部分由 CPU 计算
column-requests = 并发
column-tpot = 每 token
column-tokens = tok/s

# 建议
risk-over = 估计范围的上限 { $high } GiB 放不下
advice-slower = 慢 { $slower }
advice-times-slower = 耗时 { $times } 倍
advice-faster = 速度 { $times } 倍
advice-not-enough = 仅此还不够

# 按钮
button-tweak = 调整…
button-explain = 解释
button-recipe = 启动配置
button-thread = 在子区讨论
button-back = 恢复 { $words }
button-compare = 对比
button-infer = 部署它
button-train = 微调它
select-gpu = 换一种 GPU…
select-method = 换一种微调方式…
select-quant = 换一种量化…
bits-per-weight = 每个权重 { $bits } bit

# 对比
column-verdict = 结论
column-needed = 需要 GiB
column-card = 显存 GiB
column-ttft = 首 token
column-total = 总时间
column-price = 每小时
column-run = 每次训练
column-million = 百万 token
compare-none = ❌ 都放不下
compare-only = ✅ 只有 { $only } 放得下
compare-best = 最快：{ $fastest } · 最省：{ $cheapest }
compare-fastest = 最快：{ $fastest }

# 能跑什么
fit-both = 最大可部署 { $served }，最大可训练 { $trained }
fit-serves = 最大可部署 { $served }
fit-trains = 最大可训练 { $trained }
fit-nothing = 库里没有放得下的模型
fit-more = 另有 { $models } 个更小的模型
column-model = 模型
column-serve = 部署
column-train = 训练

# 参数表
model-counts = { $total } 参数
model-counts-active = { $total } 参数，每 token 激活 { $active }
sheet-parameters = 参数量
sheet-active = 激活参数
sheet-layers = 层数
sheet-hidden = 隐藏维度
sheet-attention = 注意力
sheet-ffn = 前馈层
sheet-vocabulary = 词表
sheet-context = 上下文
sheet-vision = 视觉塔
sheet-stored = 发布格式
sheet-memory = 显存
sheet-bandwidth = 带宽
sheet-bf16 = bf16
sheet-fp16 = fp16
sheet-fp8 = fp8
sheet-int8 = int8
sheet-fp4 = fp4
sheet-fp32 = fp32
sheet-link = 卡间互联
sheet-per-node = 单机卡数
sheet-power = 功耗
sheet-released = 发布年份
sheet-price = 租用价格

# 推导
explain-factor = { $name } { $value }
explain-term = { $name }：{ $product } = { $bytes }（{ $basis }）[{ $source }]
explain-pool = 每张卡上每个 token 占 { $bytes }，可容纳 { $tokens } 个 token
basis-exact = 精确
basis-modelled = 模型估算
basis-assumed = 假设
compute-train = 每 token { $token }，每个优化器步 { $step }
compute-infer = 每生成一个 token { $token }，每条 prompt { $prompt }

# 帮助
help-title = 怎么提问
help-intro = 示例
help-both = 通用
help-train = 训练
help-infer = 部署
help-target = 目标
help-shape = 模型结构
help-example = 示例
help-values = 取值
help-aliases = 别名
help-between = { $low } 到 { $high }

# 图表
chart-memory = 单卡显存（GiB）
chart-before = 之前
chart-after = 之后
chart-stack = 单卡占用 { $total }：{ $parts }。
chart-stack-of = 单卡占用 { $total }，显存共 { $card }：{ $parts }。
chart-card = 显存 { $card }
chart-likely = 估计
chart-fits-up-to = 最多 { $value }
chart-over-seq = 单卡显存随序列长度的变化
chart-over-concurrency = 单卡显存随并发数的变化
chart-frontier = 速度与价格
chart-frontier-point = { $setup }：{ $speed } tok/s，{ $price }/小时
chart-curve-fits = { $title }：最多 { $value }，显存 { $card }。
chart-curve = { $title }：从 { $low } 到 { $high }。
