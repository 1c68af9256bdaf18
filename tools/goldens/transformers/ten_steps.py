"""Losses of ten steps of gradient descent: what a family's settings change in the backward."""

import json
import sys
from pathlib import Path

import torch
import transformers
from golden import generator
from transformers import (
    AutoConfig, BartForConditionalGeneration, BertForMaskedLM, LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM,
    RobertaForMaskedLM,
)

goldens, path = Path(sys.argv[1]), Path(sys.argv[2])
PAD, RATE = 5, 0.05
CASES = [
    ("llama", LlamaForCausalLM, {}), ("llama", LlamaForCausalLM, {"pad_token_id": PAD}),
    ("mistral", MistralForCausalLM, {"pad_token_id": PAD}), ("qwen2", Qwen2ForCausalLM, {"pad_token_id": PAD}),
    ("bert-masked-lm", BertForMaskedLM, {"pad_token_id": PAD}), ("bert-masked-lm", BertForMaskedLM, {"pad_token_id": None}),
    ("roberta-masked-lm", RobertaForMaskedLM, {}), ("bart", BartForConditionalGeneration, {"pad_token_id": PAD}),
]
cases = []
for name, kind, change in CASES:
    config = AutoConfig.from_pretrained(goldens / name, **change)
    for key, value in change.items():
        setattr(config, key, value)
    model = kind.from_pretrained(goldens / name, config=config, attn_implementation="eager").train()
    ids = torch.randint(2, 90, (2, 8), generator=generator(f"{name} {change}"))
    pad = config.pad_token_id if config.pad_token_id is not None else PAD
    ids[0, 2] = ids[1, 5] = ids[1, 6] = pad
    labels = torch.randint(2, 90, (2, 8), generator=generator(name))
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    losses = []
    for _ in range(10):
        both = {"decoder_input_ids": ids} if config.is_encoder_decoder else {}
        logits = model(input_ids=ids, attention_mask=torch.ones_like(ids), **both).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    cases.append({"name": name, "change": change, "ids": ids.tolist(), "labels": labels.tolist(), "losses": losses})

note = {
    "source": "transformers", "version": transformers.__version__, "torch": torch.__version__,
    "script": "tools/goldens/transformers/ten_steps.py", "rate": RATE,
}
lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
path.write_text(json.dumps(note)[:-1] + ',\n"cases": [\n' + lines + "\n]}\n")
print(len(cases), path.stat().st_size)
