"""
Sequences of contrastive search, from the checkpoints of the other scripts.

Version 5 of transformers has it no more: this runs with 4.49, which has the last one inside the library.
"""

import json
import sys
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM, GenerationConfig

goldens = Path(sys.argv[1])
target = goldens.parent.parent / "generation" / "src" / "goldens" / "contrastive.json"
NEW = 8
torch.manual_seed(15)
prompts = [torch.randint(2, 97, (int(n),)).tolist() for n in torch.randint(1, 8, (50,))]
configs = [
    {"penalty_alpha": 0.6, "top_k": 4}, {"penalty_alpha": 0.3, "top_k": 3}, {"penalty_alpha": 0.9, "top_k": 6},
    {"penalty_alpha": 0.6, "top_k": 2, "repetition_penalty": 1.2}, {"penalty_alpha": 1.0, "top_k": 5},
]
cases = []
for name in ("gpt2", "llama", "mistral", "bloom"):
    model = AutoModelForCausalLM.from_pretrained(goldens / name, torch_dtype=torch.float64).eval()
    model.generation_config = GenerationConfig()
    ends = []
    for i, config in enumerate(configs):
        rows, made = prompts[i * 10 : i * 10 + 10], []
        for row in rows:
            generation = GenerationConfig(pad_token_id=0, eos_token_id=ends or None, max_new_tokens=NEW, **config)
            ids = model.generate(
                torch.tensor([row]), attention_mask=torch.ones(1, len(row), dtype=torch.long), generation_config=generation,
            )[0, len(row):].tolist()
            made.append(next((ids[:j] for j, id in enumerate(ids) if id in ends), ids))
        # An end token that comes now and then, from the second configuration on.
        if not ends:
            flat = [id for ids in made for id in ids]
            ends = [sorted(set(flat), key=flat.count)[-3]]
            chosen = None
        else:
            chosen = ends
        cases.append({
            "model": name, "config": {**config, "max_new_tokens": NEW, "eos_token_id": chosen}, "prompts": rows, "made": made,
        })
    print(name, ends, [len(m) for c in cases if c["model"] == name for m in c["made"]], flush=True)
golden = {
    "source": "transformers", "version": transformers.__version__, "script": "tools/goldens/transformers/contrastive.py",
    "cases": cases,
}
target.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(target.stat().st_size)
