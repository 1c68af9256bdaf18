"""
Sequences of constrained beam search, from the checkpoints of the other scripts.

Version 5 of transformers has it no more: this runs with 4.49. There copies of a `DisjunctiveConstraint` share the list of tokens
that they have come along, so that of several tokens that go on with it only the first counts; here each copy has its own.
"""

import json
import re
import sys
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, DisjunctiveConstraint, GenerationConfig

goldens = Path(sys.argv[1])
target = goldens.parent.parent / "generation" / "src" / "goldens" / "constrained-beams.json"
NEW = 8
PAD = 1
transformers.logging.set_verbosity_error()
theirs = DisjunctiveConstraint.copy


def copied(self, stateful=False):
    made = theirs(self, stateful)
    made.current_seq = list(made.current_seq)
    return made


torch.manual_seed(16)
prompts = [torch.randint(2, 97, (int(n),)).tolist() for n in torch.randint(1, 8, (50,))]
configs = [
    {"num_beams": 4, "force_words_ids": [[41, 7]]},
    {"num_beams": 3, "force_words_ids": [[12], [66, 30]], "num_return_sequences": 2, "early_stopping": True},
    {"num_beams": 5, "force_words_ids": [[[25, 80], [13]], [55]], "length_penalty": 0.5, "num_return_sequences": 2},
    {"num_beams": 4, "force_words_ids": [[[9, 33, 70], [9, 52], [18]]], "early_stopping": "never", "num_return_sequences": 4},
    {"num_beams": 6, "force_words_ids": [[28], [91], [44, 60]], "repetition_penalty": 1.2, "num_return_sequences": 3},
]
# None of them may be an end token.
phrases = {int(id) for id in re.findall(r"\d+", str([config["force_words_ids"] for config in configs]))}
cases, changed = [], 0
for name in ("gpt2", "llama", "mistral", "bloom", "t5", "bart"):
    kind = AutoModelForSeq2SeqLM if name in ("t5", "bart") else AutoModelForCausalLM
    model = kind.from_pretrained(goldens / name, torch_dtype=torch.float64).eval()
    model.generation_config = GenerationConfig()
    start = getattr(model.config, "decoder_start_token_id", None)

    def made(row, config, ends):
        generation = GenerationConfig(
            pad_token_id=PAD, eos_token_id=ends, max_new_tokens=NEW, decoder_start_token_id=start, **config,
        )
        found = model.generate(
            torch.tensor([row]), attention_mask=torch.ones(1, len(row), dtype=torch.long), generation_config=generation,
        )[:, 1 if start is not None else len(row):].tolist()
        return [next((ids[:j] for j, id in enumerate(ids) if id in (ends or [])), ids) for ids in found]

    # End tokens that come now and then.
    flat = [id for config in configs for row in prompts[::12] for ids in made(row, config, None) for id in ids]
    ends = sorted(set(flat) - phrases, key=flat.count)[-6:]
    for i, config in enumerate(configs):
        rows = prompts[i * 10 : i * 10 + 10]
        DisjunctiveConstraint.copy = theirs
        shared = [made(row, config, ends) for row in rows]
        DisjunctiveConstraint.copy = copied
        own = [made(row, config, ends) for row in rows]
        changed += sum(a != b for a, b in zip(shared, own))
        cases.append({
            "model": name, "config": {**config, "max_new_tokens": NEW, "eos_token_id": ends}, "prompts": rows, "made": own,
        })
    lengths = [len(ids) for case in cases if case["model"] == name for found in case["made"] for ids in found]
    print(name, ends, "ended early:", sum(n < NEW for n in lengths), "of", len(lengths), flush=True)
print("other sequences than with shared lists:", changed, "of", sum(len(case["prompts"]) for case in cases))
golden = {
    "source": "transformers", "version": transformers.__version__, "script": "tools/goldens/transformers/constrained.py",
    "cases": cases,
}
target.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(target.stat().st_size)
