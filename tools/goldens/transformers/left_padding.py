"""Greedy tokens and last logits of `generate` for batches that are padded on the left, from the checkpoints of the other scripts."""

import json
import sys
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, BertForMaskedLM, RobertaForMaskedLM

goldens = Path(sys.argv[1])
target = goldens.parent.parent / "models" / "src" / "goldens" / "left-padding.json"
LONG, SHORT, NEW = [5, 9, 2, 14, 7], [11, 3, 8], 4


def values(tensor):
    return [float(f"{v:.7g}") for v in tensor.flatten().tolist()]


ids = torch.tensor([LONG, [0, 0, *SHORT]])
mask = torch.tensor([[1, 1, 1, 1, 1], [0, 0, 1, 1, 1]])
cases = []
for name in ("gpt2", "gpt2-untied", "llama", "llama-gqa-llama3", "mistral", "qwen2", "falcon-7b", "bloom", "t5"):
    kind = AutoModelForSeq2SeqLM if name == "t5" else AutoModelForCausalLM
    # In float64 BLOOM's masks of padding overflow to NaN.
    dtype = torch.float32 if name == "bloom" else torch.float64
    model = kind.from_pretrained(goldens / name, dtype=dtype).eval()
    model.generation_config.eos_token_id = None
    made = model.generate(
        ids, attention_mask=mask, max_new_tokens=NEW, min_new_tokens=NEW, do_sample=False, pad_token_id=0,
        output_logits=True, return_dict_in_generate=True,
    )
    cases.append({
        "model": name,
        "made": made.sequences[:, -NEW:].tolist(),
        "last": values(made.logits[-1]),
    })
encoders = []
for name, kind in (("bert-masked-lm", BertForMaskedLM), ("roberta-masked-lm", RobertaForMaskedLM)):
    model = kind.from_pretrained(goldens / name, dtype=torch.float64).eval()
    pad = model.config.pad_token_id
    padded = ids.masked_fill(mask == 0, pad)
    places = (mask.cumsum(-1) - 1).clamp(min=0)
    # RoBERTa's own rule gives what `position_ids` from padding + 1 on would.
    given = {"position_ids": places} if name.startswith("bert") else {}
    with torch.no_grad():
        logits = model(padded, attention_mask=mask, **given).logits
    encoders.append({"model": name, "pad": pad, "positions": places.tolist(), "last": values(logits[:, -1])})
assert all(v == v for case in (*cases, *encoders) for v in case["last"])
target.parent.mkdir(exist_ok=True)
golden = {
    "source": "transformers", "version": transformers.__version__,
    "script": "tools/goldens/transformers/left_padding.py",
    "ids": ids.tolist(), "mask": mask.tolist(), "cases": cases, "encoders": encoders,
}
target.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(target.stat().st_size, [c["made"] for c in cases])
