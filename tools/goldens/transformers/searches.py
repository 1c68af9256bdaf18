"""
Sequences of contrastive search and of diverse beam search, from the checkpoints of the other scripts.

Version 5 of transformers has them no more: this runs with 4.49, one of the last that have them inside the library.
"""

import json
import sys
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, GenerationConfig

goldens = Path(sys.argv[1])
NEW = 8
# Groups that have ended go on with padding, which those after them are kept from: a token that hardly comes.
PAD = 1


def write(name, cases):
    target = goldens.parent.parent / "generation" / "src" / "goldens" / f"{name}.json"
    golden = {
        "source": "transformers", "version": transformers.__version__,
        "script": "tools/goldens/transformers/searches.py", "cases": cases,
    }
    target.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(target.stat().st_size)


torch.manual_seed(15)
prompts = [torch.randint(2, 97, (int(n),)).tolist() for n in torch.randint(1, 8, (50,))]
configs = [
    {"penalty_alpha": 0.6, "top_k": 4}, {"penalty_alpha": 0.3, "top_k": 3}, {"penalty_alpha": 0.9, "top_k": 6},
    {"penalty_alpha": 0.6, "top_k": 2, "repetition_penalty": 1.2}, {"penalty_alpha": 1.0, "top_k": 5},
]
cases = []
for name in ("gpt2", "llama", "mistral", "bloom", "t5", "bart"):
    kind = AutoModelForSeq2SeqLM if name in ("t5", "bart") else AutoModelForCausalLM
    model = kind.from_pretrained(goldens / name, torch_dtype=torch.float64).eval()
    model.generation_config = GenerationConfig()
    start = getattr(model.config, "decoder_start_token_id", None)
    ends = []
    for i, config in enumerate(configs):
        rows, made = prompts[i * 10 : i * 10 + 10], []
        for row in rows:
            generation = GenerationConfig(
                pad_token_id=0, eos_token_id=ends or None, max_new_tokens=NEW, decoder_start_token_id=start, **config,
            )
            ids = model.generate(
                torch.tensor([row]), attention_mask=torch.ones(1, len(row), dtype=torch.long), generation_config=generation,
            )[0, 1 if start is not None else len(row):].tolist()
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
write("contrastive", cases)

groups = [
    {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.8, "num_return_sequences": 4},
    {"num_beams": 6, "num_beam_groups": 3, "diversity_penalty": 2.5, "num_return_sequences": 3, "length_penalty": 0.5},
    {"num_beams": 3, "num_beam_groups": 3, "diversity_penalty": 1.5, "num_return_sequences": 3, "early_stopping": True},
    {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.3, "num_return_sequences": 2, "early_stopping": "never"},
    {"num_beams": 4, "num_beam_groups": 4, "diversity_penalty": 1.0, "num_return_sequences": 2, "no_repeat_ngram_size": 2},
]
cases = []
for name in ("gpt2", "llama", "mistral", "bloom", "t5", "bart"):
    kind = AutoModelForSeq2SeqLM if name in ("t5", "bart") else AutoModelForCausalLM
    model = kind.from_pretrained(goldens / name, torch_dtype=torch.float64).eval()
    model.generation_config = GenerationConfig()
    start = getattr(model.config, "decoder_start_token_id", None)
    ends = None
    for i, config in enumerate(groups):
        rows, made = prompts[i * 10 : i * 10 + 10], []
        for row in rows:
            generation = GenerationConfig(
                pad_token_id=PAD, eos_token_id=ends, max_new_tokens=NEW, decoder_start_token_id=start, **config,
            )
            found = model.generate(
                torch.tensor([row]), attention_mask=torch.ones(1, len(row), dtype=torch.long), generation_config=generation,
            )[:, 1 if start is not None else len(row):].tolist()
            made.append([next((ids[:j] for j, id in enumerate(ids) if id in (ends or [])), ids) for ids in found])
        cases.append({
            "model": name, "config": {**config, "max_new_tokens": NEW, "eos_token_id": ends}, "prompts": rows, "made": made,
        })
        if ends is None:
            flat = [id for found in made for ids in found for id in ids]
            ends = sorted(set(flat), key=flat.count)[-5:-3]
    print(name, ends, sum(len(ids) < NEW for c in cases if c["model"] == name for f in c["made"] for ids in f), flush=True)
write("diverse-beams", cases)
