# names: why a name is unknown

name-unknown = I know no model “{ $typed }”. Give a Hugging Face id, a size such as 7b, or a shape: custom layers=32 hidden=4096 heads=32 ffn=14336 vocab=128256
name-not-in-family = I know no “{ $typed }”. Near: { $near }
name-closed = The weights of “{ $typed }” ({ $maker }) are not published, so its memory cannot be estimated. Open models of its class: { $near }
name-no-language-model = “{ $typed }” is no language model; I estimate language models only.
name-unknown-gpu = I know no accelerator “{ $typed }”. A name such as h100, a100-80gb, rtx-4090 or 910b is enough.
name-unknown-gpu-near = I know no accelerator “{ $typed }”. Near: { $near }
