"""Greedy sequences of the decoders' checkpoints, checked to be those of assisted decoding by prompt look-up."""

import json
import sys
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM, GenerationConfig

goldens = Path(sys.argv[1])
target = goldens.parent.parent / "generation" / "src" / "goldens" / "assisted.json"
# New tokens, as many as the context has room for.
NEW = {"gpt2": 6, "llama": 16, "mistral": 16, "bloom": 16}
torch.manual_seed(26)
prompts = [torch.randint(2, 97, (int(n),)).tolist() for n in torch.randint(2, 6, (50,))]
# Some repeat themselves, so that drafts come from the prompt as well.
prompts = [row * 2 if i % 2 else row for i, row in enumerate(prompts)]

cases = []
for name, new in NEW.items():
    model = AutoModelForCausalLM.from_pretrained(goldens / name, dtype=torch.float32).eval()
    model.generation_config = GenerationConfig()

    def made(row, **config):
        generation = GenerationConfig(pad_token_id=0, max_new_tokens=new, do_sample=False, **config)
        ids = torch.tensor([row])
        out = model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=generation)
        return out[0, len(row) :].tolist()

    found = [made(row) for row in prompts]
    for row, ids in zip(prompts, found):
        assert made(row, prompt_lookup_num_tokens=3) == ids, (name, row)
    cases.append({"model": name, "new": new, "made": found})
    print(name, flush=True)
golden = {
    "source": "transformers", "version": transformers.__version__, "script": "tools/goldens/transformers/assisted.py",
    "prompts": prompts, "cases": cases,
}
target.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(target.stat().st_size)
