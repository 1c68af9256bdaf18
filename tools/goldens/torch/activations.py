"""What the tiny GPT-2 of gpt2.py computes inside: hidden states, attention weights, and the logit lens of each layer."""

import base64
import json
import tempfile
from pathlib import Path

import torch
from golden import packages, values, write
from transformers import GPT2LMHeadModel

[case] = json.loads((packages / "models" / "src" / "goldens" / "gpt2.json").read_text())["cases"]
with tempfile.TemporaryDirectory() as folder:
    for name, content in case["folder"].items():
        (Path(folder) / name).write_bytes(base64.b64decode(content))
    model = GPT2LMHeadModel.from_pretrained(folder, attn_implementation="eager").double().eval()
ids = torch.tensor(case["ids"]).reshape(case["shape"])
with torch.no_grad():
    out = model(ids, output_attentions=True, output_hidden_states=True)
    # The last of the hidden states has gone through the last norm already.
    lens = [model.lm_head(model.transformer.ln_f(h)) for h in out.hidden_states[:-1]]
    # Abnar and Zuidema 2020: heads averaged, the residual path added, layers multiplied.
    rollout = torch.eye(ids.shape[1])
    for attention in out.attentions:
        mixed = 0.5 * attention.mean(dim=1) + 0.5 * torch.eye(ids.shape[1])
        rollout = mixed @ rollout
write("inspect", "gpt2", "activations", [{
    "folder": case["folder"],
    "ids": case["ids"],
    "shape": case["shape"],
    "hiddenStates": [values(h) for h in out.hidden_states],
    "attentions": [values(a) for a in out.attentions],
    "lens": [values(logits) for logits in lens],
    "rollout": values(rollout),
}], "transformers")
