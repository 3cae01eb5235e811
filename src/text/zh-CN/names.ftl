# names

name-unknown = 没有找到模型“{ $typed }”。可以给出 Hugging Face ID、参数量（如 7b），或自定义结构：custom layers=32 hidden=4096 heads=32 ffn=14336 vocab=128256
name-not-in-family = 没有“{ $typed }”这个型号，相近的有：{ $near }
name-closed = “{ $typed }”（{ $maker }）没有公开权重，无法估算显存。同级别的开源模型：{ $near }
name-no-language-model = “{ $typed }”不是语言模型，这里只估算语言模型。
name-unknown-gpu = 没有找到加速卡“{ $typed }”。写 h100、a100-80gb、rtx-4090、910b 这样的型号即可。
name-unknown-gpu-near = 没有找到加速卡“{ $typed }”，相近的有：{ $near }
