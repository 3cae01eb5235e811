# 各入口共用的话。

problem-too-long = 问题超过 { $limit } 个字符。请用一行来问，例如 train llama-3-8b gpu=8xh100。
problem-batch-input = 这一行不是问题：应为含 "line"、"resolve"、"base" 与 "tweak"、或 "paste" 的 JSON 对象。
