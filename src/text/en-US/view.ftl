# Units
unit-microseconds = µs
unit-milliseconds = ms
unit-seconds = s
unit-minutes = min
unit-hours = h
unit-days = days
unit-years = years

# The verdict
each-gpu = {" "}per GPU
verdict-trains = ✅ Fits: { $used } of { $card }{ $each }, likely { $likely }
verdict-trains-shown = ✅ Fits: needs { $needed } of { $card }{ $each }, will show { $used } in use, likely { $likely }
verdict-serves-plain = ✅ Fits: { $used } of { $card }{ $each }, likely { $likely }
verdict-serves = ✅ Fits: needs { $needed } of { $card }{ $each }, will show { $used } GiB in use
verdict-tight = ⚠️ Tight: { $needed } of { $card }{ $each }, { $spare } to spare, likely { $likely }
verdict-short = ❌ Short by { $by }{ $each }: needs { $needed } GiB, there is room for { $card }
verdict-no-start = ❌ Does not start: what the weights leave holds no sequence of { $seq } tokens
verdict-no-gpu-shown = 📐 Needs { $needed } GiB{ $each }; on a roomy card shows { $used }, likely { $likely }
verdict-no-gpu = 📐 Needs { $needed } GiB{ $each }, likely { $likely }

# Parts of memory
part-weights = weights
part-gradients = gradients
part-optimizer = optimizer
part-activations = activations
part-logits = logits
part-buffers = buffers
part-kv-cache = KV cache
part-overhead = overhead
row-per-gpu = per GPU
row-in-use = in use
row-needed = needed
of-card = of { $card }

# Headings
heading-speed = Speed
heading-time = Time
heading-capacity = Capacity
heading-cost = Cost
heading-limit = Limit
heading-knee = By concurrency
heading-host = Host RAM
heading-advice = What makes it fit
heading-roomier = What makes room
heading-faster = What makes it faster
heading-recommended = Recommended
heading-out-of-reach = Out of reach
heading-assumed = Assumed
heading-unread = Not understood
heading-notes = Notes
heading-changed = Changed
changed-nothing = nothing: { $words } stood already
heading-compute = Compute
heading-step = One step
heading-try = Try
heading-weights = Weights by format
heading-serves = Serves on
heading-tunes = Fine-tunes on
heading-source = Source
heading-sources = Sources
heading-layout = Layout
heading-risk = Risk
heading-runs = Runs on one

# Titles
title-compare = Comparison
title-compare-of = { $model } compared
title-fit = { $machine } · { $memory }
title-recipe = Launch recipe
method-full = full fine-tuning
method-pretrain = pre-training
method-freeze = last layers only
engine-vllm = vLLM
engine-sglang = SGLang
engine-trtllm = TensorRT-LLM
engine-tgi = TGI
engine-transformers = Transformers
engine-pytorch = PyTorch
engine-fastchat = FastChat
engine-lmdeploy = LMDeploy
engine-ollama = Ollama

# Speed, time, money
speed-per-gpu = { $speed } per GPU
speed-first-token = first token { $time }
speed-each-token = { $time } per token
speed-at = at { $requests } { $requests ->
    [one] request
   *[other] requests
}
speed-at-most = with the cache full
time-step = { $step } a step
time-total = { $tokens } tokens: { $total }
time-gpu-hours = { $hours } GPU-hours
time-goodput = { $total } with restarts and evaluation
about-money = about { $usd }
money-per-hour = { $usd }/h
money-per-run = { $usd } a run
money-per-million = { $usd } per M tokens
capacity-requests = { $requests } { $requests ->
    [one] request
   *[other] requests
} of { $seq } tokens at once
capacity-tokens = { $tokens } tokens of KV cache
capacity-longest = longest sequence { $seq }
limit-weights = the weights fill the card
limit-kv-cache = the KV cache: more requests wait in the queue
limit-bandwidth = memory bandwidth: decoding waits for weights and cache
limit-compute = compute: the matrix units are busy
limit-launch = kernel launches: the batch is too small to fill the GPU
limit-communication = communication between the GPUs
limit-host = host memory: the CPU computes what is not on the card
column-requests = requests
column-tpot = per token
column-tokens = tok/s

# Advice
risk-over = the upper end of the likely range, { $high } GiB, does not fit
advice-slower = { $slower } slower
advice-times-slower = { $times }× as slow
advice-faster = { $times }× as fast
advice-not-enough = not enough alone

# Controls
button-tweak = Tweak…
button-explain = Explain
button-recipe = Recipe
button-thread = Discuss in thread
button-back = Back to { $words }
button-compare = Compare
button-infer = Serve it
button-train = Fine-tune it
select-gpu = Other GPU …
select-method = Other method …
select-quant = Other weights …
bits-per-weight = { $bits } bits per weight

# Comparison
column-verdict = fits
column-needed = GiB needed
column-card = GiB card
column-ttft = 1st token
column-total = total
column-price = per hour
column-run = a run
column-million = M tokens
compare-none = ❌ None of these fits
compare-only = ✅ Only { $only } fits
compare-best = Fastest: { $fastest } · cheapest: { $cheapest }
compare-fastest = Fastest: { $fastest }

# What fits
fit-both = Serves up to { $served }, trains up to { $trained }
fit-serves = Serves up to { $served }
fit-trains = Trains up to { $trained }
fit-nothing = No model of the catalog fits
fit-more = and { $models } smaller { $models ->
    [one] model
   *[other] models
}
column-model = model
column-serve = serves
column-train = trains

# Data sheets
model-counts = { $total } parameters
model-counts-active = { $total } parameters, { $active } active per token
sheet-parameters = parameters
sheet-active = active
sheet-layers = layers
sheet-hidden = hidden size
sheet-attention = attention
sheet-ffn = feed-forward
sheet-vocabulary = vocabulary
sheet-context = context
sheet-vision = vision tower
sheet-stored = published in
sheet-memory = memory
sheet-bandwidth = bandwidth
sheet-bf16 = bf16
sheet-fp16 = fp16
sheet-fp8 = fp8
sheet-int8 = int8
sheet-fp4 = fp4
sheet-fp32 = fp32
sheet-link = between GPUs
sheet-per-node = in a machine
sheet-power = power
sheet-released = released
sheet-price = rent

# Explanation
explain-factor = { $value } { $name }
explain-term = { $name }: { $product } = { $bytes } ({ $basis }) [{ $source }]
explain-pool = { $bytes } a token on each GPU: room for { $tokens } tokens
basis-exact = exact
basis-modelled = modelled
basis-assumed = assumed
compute-train = { $token } per token, { $step } per optimizer step
compute-infer = { $token } per generated token, { $prompt } per prompt

# Help
help-title = How to ask
help-intro = Examples
help-both = For both
help-train = Training
help-infer = Serving
help-target = Targets
help-shape = Model shape
help-example = Example
help-values = Values
help-aliases = Also
help-between = { $low } to { $high }

# Charts
chart-memory = Memory of one GPU, GiB
chart-before = before
chart-after = after
chart-stack = { $total } in use on one GPU: { $parts }.
chart-stack-of = { $total } in use of the card's { $card }: { $parts }.
chart-card = card { $card }
chart-likely = likely
chart-fits-up-to = fits up to { $value }
chart-over-seq = Memory of one GPU over sequence length
chart-over-concurrency = Memory of one GPU over requests at once
chart-frontier = Speed over price
chart-frontier-point = { $setup }: { $speed } tok/s at { $price }/h
chart-curve-fits = { $title }: fits up to { $value }, card { $card }.
chart-curve = { $title }: from { $low } to { $high }.
