"""A tiny GPT-2: logits, loss and every gradient, and the folder that save_pretrained writes."""

import base64
import tempfile
from pathlib import Path

import torch
from golden import random, seeded, values, write
from transformers import GPT2Config, GPT2LMHeadModel

config = GPT2Config(
    vocab_size=31, n_positions=13, n_embd=20, n_layer=2, n_head=5,
    embd_pdrop=0.0, resid_pdrop=0.0, attn_pdrop=0.0, bos_token_id=None, eos_token_id=None,
)
torch.set_default_dtype(torch.float32)
model = GPT2LMHeadModel(config).eval()
g = seeded(1)
with torch.no_grad():
    for name, parameter in model.named_parameters():
        norm_weight = "ln_" in name and name.endswith("weight")
        parameter.copy_(random(g, *parameter.shape, scale=0.2) + (1.0 if norm_weight else 0.0))

with tempfile.TemporaryDirectory() as folder:
    model.save_pretrained(folder)
    saved = {
        name: base64.b64encode((Path(folder) / name).read_bytes()).decode()
        for name in ("config.json", "model.safetensors")
    }

torch.set_default_dtype(torch.float64)
model = model.double()
ids = torch.randint(0, 31, (2, 11), generator=g)
labels = torch.randint(0, 31, (2, 11), generator=g)
logits = model(ids).logits
loss = torch.nn.functional.cross_entropy(logits.reshape(-1, 31), labels.reshape(-1))
loss.backward()
write("models", "gpt2", "gpt2", [{
    "folder": saved,
    "ids": ids.flatten().tolist(),
    "labels": labels.flatten().tolist(),
    "shape": list(ids.shape),
    "logits": values(logits),
    "loss": loss.item(),
    "gradients": {
        name: {"shape": list(p.shape), "data": values(p.grad)}
        for name, p in model.named_parameters()
    },
}], "transformers")
