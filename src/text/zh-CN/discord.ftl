# Starting and stopping
discord-bad-setting = { $name } 的值不对，可填内容见 .env.example。
discord-token-file = 无法从 { $path } 读取 token：{ $error }
discord-bad-token = Discord 拒绝了 token，请把 DISCORD_TOKEN 设为应用 Bot 页面上的 token。
discord-intent-refused = Discord 拒绝了消息内容意图，请在开发者后台打开，或设 DISCORD_MESSAGE_CONTENT=off。
discord-refused = Discord 拒绝机器人登录（HTTP { $status }）。
discord-unreachable = 连不上 Discord，请检查网络和 DISCORD_API_BASE。

# Trouble in a channel
discord-missing-permission = 我在这里缺少权限：{ $permissions }。
discord-cannot-thread = 我不能在这里开子区或发言：需要“创建公共子区”（Create Public Threads）和“在子区中发送消息”（Send Messages in Threads）权限。
discord-cannot-embed = 我不能在这里显示结果：需要“嵌入链接”（Embed Links）和“附加文件”（Attach Files）权限。
discord-not-in-guild = 我没有加入这个服务器，开不了子区；“调整…”在这里可用。
discord-too-many = 问得太快了，请过几秒再试。
discord-nothing-to-change = 这句话没有改动任何参数，可以试试 `seq=8192 zero=3`。
discord-our-fault = 我这边出了点问题，请再试一次。
discord-old-command = 这个命令已经没有了，现有命令见 /help。
discord-old-button = 这个按钮来自旧版本，请用消息底部那一行重新提问。
discord-not-yours = 只有提问者或管理员可以删除。
discord-dialog-unread = Discord 送来的输入我还读不懂，请改用 `/tweak`，写法相同。
discord-no-last-answer = 这个频道里没有找到我的回答，请在选项 `line` 中写一行。
discord-file-kind = { $name } 不是文本文件；我能读配置、命令和日志。
discord-file-size = { $name } 太大；我最多读 { $limit }。
discord-file-unread = { $name } 无法按文本读取。
discord-not-understood = 里面没有看到模型、命令、配置或报错信息。
discord-which = { $knob } 取哪个？

# Threads and dialogs
thread-hint = 回复这条消息或 @我，写上要改什么：`序列 8192，zero3`、`换成 4090 呢`
tweak-title = 调整估算
tweak-label = 要改什么
tweak-placeholder = 序列 8192，zero3，8 张 H100
button-share = 公开给大家
button-delete = 删除

# Commands
command-train = 训练或微调一个模型需要的显存、时间和硬件
command-train-name = 训练
command-infer = 部署一个模型需要的显存、硬件和速度
command-infer-name = 推理
command-model = 模型的结构、精确参数量和资源需求
command-model-name = 模型
command-gpu = 加速卡的参数，以及能跑什么
command-gpu-name = 显卡
command-fit = 这些硬件上能跑什么
command-fit-name = 能跑什么
command-compare = 并排对比最多四种方案
command-compare-name = 对比
command-explain = 结果背后的公式，代入数字
command-explain-name = 解释
command-recipe = 启动命令或配置文件
command-recipe-name = 启动命令
command-tweak = 调整上一个结果：序列 8192、zero3、换成 4090
command-tweak-name = 调整
command-help = 怎么提问，每个参数怎么填
command-help-name = 帮助
command-estimate-this-name = 估算这条消息

# Options
option-more = 其他参数，按一行的写法：zero=3 attn=flash tp=4
option-more-name = 其他
option-first = 一行：train llama3-8b gpu=a100；也可一次写多种卡：gpu=h100,h200
option-first-name = 方案一
option-second = 与之对比的一行
option-second-name = 方案二
option-third = 再加一行
option-third-name = 方案三
option-fourth = 再加一行
option-fourth-name = 方案四
option-line = 一行：train llama3-8b gpu=a100；不填则用这里的上一个结果
option-line-name = 命令行
option-change = 要改什么：序列 8192，zero3，8 张 H100
option-change-name = 改动
option-topic = 参数名：zero、seq、quant
option-topic-name = 主题
option-model = 名称、Hugging Face id 或规模：千问2.5 7B、Qwen/Qwen3-32B、7b
option-model-name = 模型
option-gpu = 加速卡：h100、rtx 4090、910b；不填则推荐
option-gpu-name = 显卡
option-gpus = 一共几张卡
option-gpus-name = 卡数
option-nodes = 几台机器
option-nodes-name = 节点数
option-method = 训练方式
option-method-name = 训练方式
option-seq = 序列长度（token）；推理时为最大上下文长度
option-seq-name = 序列长度
option-batch = 每张卡每步的序列数（micro batch）
option-batch-name = 批大小
option-global_batch = 所有卡每个优化器步的序列数
option-global_batch-name = 全局批大小
option-stage = 训练阶段
option-stage-name = 阶段
option-optimizer = 优化器
option-optimizer-name = 优化器
option-precision = 计算精度
option-precision-name = 精度
option-master = fp32 主权重：on；off（纯 16 位）；amp（fp32 权重加 autocast）
option-master-name = 主权重
option-framework = 训练框架，未填的参数取其默认值
option-framework-name = 框架
option-zero = ZeRO 阶段
option-zero-name = zero
option-offload = 放到内存里的部分
option-offload-name = 卸载
option-checkpointing = 激活重计算
option-checkpointing-name = 重计算
option-quant = 权重格式
option-quant-name = 量化
option-lora_rank = LoRA 的秩
option-lora_rank-name = lora秩
option-tp = 张量并行度
option-tp-name = 张量并行
option-pp = 流水线并行度
option-pp-name = 流水线并行
option-dp = 数据并行副本数
option-dp-name = 数据并行
option-ep = 专家并行度
option-ep-name = 专家并行
option-tokens = 训练多少 token
option-tokens-name = token数
option-samples = 训练多少条样本
option-samples-name = 样本数
option-epochs = 训练几轮
option-epochs-name = 轮数
option-backend = 推理引擎，未填的参数取其默认值
option-backend-name = 引擎
option-kv = KV 缓存格式
option-kv-name = kv缓存
option-prompt = 每个请求的输入 token 数
option-prompt-name = 输入长度
option-output = 每个请求的输出 token 数
option-output-name = 输出长度
option-concurrency = 同时多少个请求
option-concurrency-name = 并发
option-gpu_mem_util = 引擎的显存比例
option-gpu_mem_util-name = 显存比例
option-max_seqs = 引擎同时处理的最多序列数
option-max_seqs-name = 最多序列
option-max_batched_tokens = 引擎一步处理的最多 token 数
option-max_batched_tokens-name = 最多token
option-eager = 不用 CUDA Graph
option-eager-name = eager模式
option-ttft = 首字延迟目标（毫秒）
option-ttft-name = 首字延迟
option-tpot = 每字延迟目标（毫秒）
option-tpot-name = 每字延迟
option-budget = 预算上限（美元）
option-budget-name = 预算
option-work = 训练还是推理
option-work-name = 用途
option-part = 显存的一部分：optimizer、activations、kv_cache
option-part-name = 部分

# The playground
console-intro =
    Headroom 体验模式：不连 Discord 直接使用机器人。输入一行（训练 llama3-8b gpu=a100）、斜杠命令
    （/infer model:千问2.5 72b）、对上一个结果的改动（序列 8192，zero3），或 `press 解释`、
    `choose qlora`。Ctrl-D 退出。
console-serving = 机器人运行在体验模式：{ $base }；设置 DISCORD_TOKEN 即可连到 Discord。
console-no-bot = 机器人没有在体验模式中启动。
console-broken = 体验模式无法运行：{ $error }

# What was pasted
paste-which-model = 这是哪个模型？请回复补充，例如：llama-3-8b lora，a100，seq 4096，batch 4
paste-read = 读到（{ $kind }）
paste-notes = 报错说明
paste-asked = 还需说明
paste-assumed = 该程序默认
