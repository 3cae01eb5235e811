# What any door says.

problem-too-long = That is longer than the { $limit } characters a question may have. Ask with one line, such as train llama-3-8b gpu=8xh100.
problem-batch-input = This line is no question: it takes a JSON object with "line", "resolve", "base" and "tweak", or "paste".
