"""Sequences of DoLa, from the checkpoints of the other scripts; with transformers 4.49, one of the last versions that have it inside."""

import json
import sys
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM, GenerationConfig

goldens = Path(sys.argv[1])
target = goldens.parent.parent / "generation" / "src" / "goldens" / "dola.json"
NEW = 8
transformers.logging.set_verbosity_error()
torch.manual_seed(17)
prompts = [torch.randint(2, 97, (int(n),)).tolist() for n in torch.randint(1, 8, (50,))]
configs = [
    {"dola_layers": "high"}, {"dola_layers": [0, 1, 2], "repetition_penalty": 1.2}, {"dola_layers": [1]},
    {"dola_layers": [2, 0], "no_repeat_ngram_size": 2}, {"dola_layers": "low", "repetition_penalty": 1.4},
]
cases = []
for name in ("gpt2", "llama", "mistral", "bloom"):
    model = AutoModelForCausalLM.from_pretrained(goldens / name, torch_dtype=torch.float64).eval()
    model.generation_config = GenerationConfig()
    for i, config in enumerate(configs):
        # Tied, of three layers: none is a low one.
        if model.config.tie_word_embeddings and config["dola_layers"] == "low":
            config = {"dola_layers": [1, 2]}
        rows, made = prompts[i * 10 : i * 10 + 10], []
        for row in rows:
            generation = GenerationConfig(pad_token_id=0, max_new_tokens=NEW, **config)
            made.append(model.generate(
                torch.tensor([row]), attention_mask=torch.ones(1, len(row), dtype=torch.long), generation_config=generation,
            )[0, len(row):].tolist())
        cases.append({"model": name, "config": {**config, "max_new_tokens": NEW}, "prompts": rows, "made": made})
    print(name, len({id for case in cases if case["model"] == name for ids in case["made"] for id in ids}), flush=True)
golden = {
    "source": "transformers", "version": transformers.__version__, "script": "tools/goldens/transformers/dola.py", "cases": cases,
}
target.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(target.stat().st_size)
