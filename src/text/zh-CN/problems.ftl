# problems: what was wrong with a line, and what is allowed

problem-unknown-knob = 没有“{ $typed }”这个参数。输入 help 可查看全部参数。
problem-unknown-knob-near = 没有“{ $typed }”这个参数，相近的是 { $near }。输入 help 可查看全部参数。
problem-not-a-number = { $knob } 需要一个数字，“{ $typed }”不是数字。
problem-not-whole = { $knob } 需要整数，“{ $typed }”不是整数。
problem-out-of-range = { $knob }={ $typed } 超出范围：应在 { $min } 到 { $max } 之间。
problem-not-a-choice = { $knob } 不支持“{ $typed }”，可选：{ $allowed }
problem-one-word = { $knob } 只接受一个不含空格的词。
problem-given-twice = { $knob } 不能既是 { $first } 又是 { $second }。
problem-other-work = { $knob } 属于“{ $other }”，“{ $verb }”里用不到：请去掉，或改问“{ $other }”。
problem-no-further = { $knob } 目前是 { $now }，极限是 { $limit }。
problem-no-such-size = 该系列没有 { $typed } 参数规模的模型。
problem-no-such-size-near = 该系列没有 { $typed } 参数规模的模型，相近的有：{ $near }
problem-no-such-row = { $knob } 不支持“{ $typed }”。

problem-no-model = 请说明模型：名称（llama-3-8b）、Hugging Face id、规模（7b），或用 custom 给出结构。
problem-one-model = 一次只能估算一个模型；多个模型请用 compare 对比。
problem-one-gpu = 一次只能用一种 GPU；多种 GPU 请用 compare 对比。
problem-custom-lacks = 自定义模型至少要给出 layers 和 hidden（有 experts 时还要 expert_ffn），还缺：{ $missing }
problem-heads-of-hidden = { $heads } 个注意力头不能整除隐藏维度 { $hidden }；如确实如此，请给出 head_dim。
problem-kv-heads = { $kv_heads } 个 KV 头不能整除 { $heads } 个注意力头。
problem-top-k = { $experts } 个专家中无法为每个 token 选出 { $top_k } 个。
problem-dense-layers = 稠密层数 { $dense_layers } 超过了模型总层数 { $layers }。
problem-model-too-large = 参数量超过 { $most }，超出估算上限。
problem-shape = 该结构无法构成模型：{ $fault }

problem-too-many-gpus = { $gpus } 张 GPU 超出了规划上限。
problem-nodes-do-not-divide = { $gpus } 张 GPU 无法平均分到 { $nodes } 个节点。
problem-degree-of-gpus = { $knob }={ $degree } 不能整除 { $gpus } 张 GPU。
problem-degrees-product = 各并行度之积为 { $product }，与 { $gpus } 张 GPU 不符。
problem-tp-heads = tp={ $degree } 不能整除 { $model } 的注意力头数。
problem-pp-layers = pp={ $degree } 超过了模型层数（{ $layers }）。
problem-ep-experts = ep={ $degree } 不能整除模型的 { $experts } 个专家。
problem-gpu-lacks-precision = { $gpu } 没有 { $precision } 计算单元，请改用 { $instead }。

problem-rank-over-hidden = LoRA 秩 { $rank } 超过了隐藏维度 { $hidden }，这样的适配器并不比原权重小。
problem-global-batch = global_batch={ $global } 与 batch × accum × 数据并行数 = { $product } 矛盾。
problem-zero-pipeline = ZeRO-{ $stage } 会切分梯度，不能与流水线并行同用：请改用 zero=1，或不用流水线并行。
problem-qlora-unquantised = QLoRA 在量化权重上训练；不量化就是 LoRA，请用 method=lora。
problem-zero-and-sharding = zero 是 DeepSpeed 的切分方式，sharding 是 FSDP 的，二者只能选其一。
problem-quantised-weights = 量化后的权重是冻结的，method={ $method } 无法训练。
problem-gguf-training = { $quant } 是推理用的 GGUF 类型，没有框架能在其上训练适配器。
problem-bnb-tensor-parallel = bitsandbytes 将 { $quant } 的每个矩阵整体打包，张量并行无法切分。
