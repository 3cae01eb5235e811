# Starting and stopping
discord-bad-setting = { $name } is not what it should be; .env.example says what it takes.
discord-token-file = Cannot read the token from { $path }: { $error }
discord-bad-token = Discord refuses the token; set DISCORD_TOKEN to the one on the application's Bot page.
discord-intent-refused = Discord refuses the message content intent; switch it on in the developer portal, or set DISCORD_MESSAGE_CONTENT=off.
discord-refused = Discord refuses to let the bot in (HTTP { $status }).
discord-unreachable = Discord cannot be reached; check the network and DISCORD_API_BASE.

# Trouble in a channel
discord-missing-permission = I lack a permission here: { $permissions }.
discord-cannot-thread = I may not open or write threads here: I need Create Public Threads and Send Messages in Threads.
discord-cannot-embed = I may not show my answer here: I need Embed Links and Attach Files.
discord-not-in-guild = I was not added to this server, so I cannot open threads in it. Tweak… works here.
discord-too-many = That is a lot at once; try again in a few seconds.
discord-nothing-to-change = Nothing in that changes the estimate. Try `seq=8192 zero=3`.
discord-our-fault = Something went wrong on my side. Please try again.
discord-old-command = I no longer have that command; /help lists those I have.
discord-old-button = That button is from an older version of me. Ask again with the line at the bottom of the message.
discord-not-yours = Only who asked, or a moderator, may delete this.
discord-dialog-unread = Discord sent your text in a form that I cannot read yet. `/tweak` takes the same words.
discord-no-last-answer = I find no answer of mine in this channel; put a line into the option `line`.
discord-file-kind = { $name } is not a text file; I read configurations, commands and logs.
discord-file-size = { $name } is too large; I read files up to { $limit }.
discord-file-unread = I could not read { $name } as text.
discord-not-understood = I see no model, command, configuration or error message in that.
discord-which = Which { $knob }?

# Threads and dialogs
thread-hint = Reply to this message, or mention me, with what to change: `seq 8192, zero3` or `on 4090s?`
tweak-title = Change the estimate
tweak-label = What to change
tweak-placeholder = seq 8192, zero3, on 8 H100s
button-share = Show everyone
button-delete = Delete

# Commands
command-train = Memory, time and hardware of training or fine-tuning a model
command-train-name = train
command-infer = Memory, speed and hardware of serving a model
command-infer-name = infer
command-model = A model's architecture, exact parameter counts, and what it takes
command-model-name = model
command-gpu = An accelerator's figures, and what fits on it
command-gpu-name = gpu
command-fit = What fits on this hardware
command-fit-name = fit
command-compare = Up to four set-ups side by side
command-compare-name = compare
command-explain = The formulas behind an answer, with the numbers put in
command-explain-name = explain
command-recipe = The command or file that launches an answer
command-recipe-name = recipe
command-tweak = Change the last answer: seq 8192, zero3, on 4090s
command-tweak-name = tweak
command-help = How to ask, and what each knob takes
command-help-name = help
command-estimate-this-name = Estimate this

# Options
option-more = Anything else, as in a line: zero=3 attn=flash tp=4
option-more-name = more
option-first = A line: train llama3-8b gpu=a100, or several cards: infer llama3-70b gpu=h100,h200
option-first-name = first
option-second = A line to compare it with
option-second-name = second
option-third = Another line
option-third-name = third
option-fourth = Another line
option-fourth-name = fourth
option-line = A line: train llama3-8b gpu=a100. Without it, the last answer here
option-line-name = line
option-change = What to change: seq 8192, zero3, on 8 H100s
option-change-name = change
option-topic = A knob: zero, seq, quant
option-topic-name = topic
option-model = A name, a Hugging Face id, or a size: llama3 8b, Qwen/Qwen3-32B, 7b
option-model-name = model
option-gpu = The accelerator: h100, rtx 4090, mi300x. Without it, I recommend some
option-gpu-name = gpu
option-gpus = GPUs in all
option-gpus-name = gpus
option-nodes = Machines
option-nodes-name = nodes
option-method = How the model is trained
option-method-name = method
option-seq = Sequence length in tokens; when serving, the maximum model length
option-seq-name = seq
option-batch = Sequences per GPU and step (micro batch)
option-batch-name = batch
option-global_batch = Sequences per optimizer step over all GPUs
option-global_batch-name = global_batch
option-stage = Training stage
option-stage-name = stage
option-optimizer = The optimizer
option-optimizer-name = optimizer
option-precision = Precision of the computation
option-precision-name = precision
option-master = fp32 master weights: on, off (pure 16-bit), amp (fp32 weights under autocast)
option-master-name = master
option-framework = Training framework, whose defaults are taken
option-framework-name = framework
option-zero = ZeRO stage
option-zero-name = zero
option-offload = What is kept in host memory
option-offload-name = offload
option-checkpointing = Activation recomputation
option-checkpointing-name = checkpointing
option-quant = Format of the weights
option-quant-name = quant
option-lora_rank = Rank of the adapters
option-lora_rank-name = lora_rank
option-tp = Tensor parallel degree
option-tp-name = tp
option-pp = Pipeline parallel degree
option-pp-name = pp
option-dp = Data parallel replicas
option-dp-name = dp
option-ep = Expert parallel degree
option-ep-name = ep
option-tokens = Tokens to train on
option-tokens-name = tokens
option-samples = Samples to train on
option-samples-name = samples
option-epochs = Passes over the samples
option-epochs-name = epochs
option-backend = Inference engine, whose defaults are taken
option-backend-name = backend
option-kv = Format of the KV cache
option-kv-name = kv
option-prompt = Tokens in, per request
option-prompt-name = prompt
option-output = Tokens out, per request
option-output-name = output
option-concurrency = Requests at once
option-concurrency-name = concurrency
option-gpu_mem_util = The engine's memory fraction
option-gpu_mem_util-name = gpu_mem_util
option-max_seqs = Most sequences the engine runs at once
option-max_seqs-name = max_seqs
option-max_batched_tokens = Most tokens the engine takes in one step
option-max_batched_tokens-name = max_batched_tokens
option-eager = Without CUDA graphs
option-eager-name = eager
option-ttft = Time to first token to meet, in ms
option-ttft-name = ttft
option-tpot = Time per output token to meet, in ms
option-tpot-name = tpot
option-budget = Most to spend, in USD
option-budget-name = budget
option-work = Training or inference
option-work-name = work
option-part = A part of memory: optimizer, activations, kv_cache
option-part-name = part

# The playground
console-intro =
    Headroom's playground: the bot, without Discord. Type a line (train llama3-8b gpu=a100), a slash
    command (/infer model:qwen2.5 72b), a change to the last answer (seq 8192, zero3), `press Explain`
    or `choose qlora`. Ctrl-D leaves.
console-serving = The bot runs in a playground at { $base }; set DISCORD_TOKEN to bring it to Discord.
console-no-bot = The bot did not come up in the playground.
console-broken = The playground cannot run: { $error }

# What was pasted
paste-which-model = Which model was this? Reply with it, such as: llama-3-8b lora on a100, seq 4096, batch 4
paste-read = Read ({ $kind })
paste-notes = What the message says
paste-asked = Still to say
paste-assumed = Its program assumes
