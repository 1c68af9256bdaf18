"""Sequences of beam search, from the checkpoints of the other scripts: alone, and checked to be the same in padded batches."""

import json
import sys
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, GenerationConfig

goldens = Path(sys.argv[1])
target = goldens.parent.parent / "generation" / "src" / "goldens" / "beams.json"
PAIRS = ("t5", "bart")
MODELS = ("gpt2", "llama", "mistral", "bloom", *PAIRS)
NEW = 7
torch.manual_seed(14)
prompts = [torch.randint(2, 97, (int(n),)).tolist() for n in torch.randint(1, 8, (50,))]
configs = [
    {"num_beams": 4},
    {"num_beams": 3, "early_stopping": True, "num_return_sequences": 3},
    {"num_beams": 3, "early_stopping": "never", "length_penalty": 1.7, "num_return_sequences": 2},
    {"num_beams": 5, "length_penalty": -0.8, "num_return_sequences": 2},
    {"num_beams": 2, "early_stopping": "never", "length_penalty": 0.0, "repetition_penalty": 1.3, "no_repeat_ngram_size": 2},
]


def made(model, rows, config, ends):
    """The new tokens of each returned sequence up to its end token, and their scores."""
    length = max(map(len, rows))
    def padded(row, values):
        """On the side where tokenizers put it: before a decoder's prompt, behind an encoder's input."""
        padding = [0] * (length - len(row))
        return values + padding if model.config.is_encoder_decoder else padding + values

    ids = torch.tensor([padded(row, row) for row in rows])
    mask = torch.tensor([padded(row, [1] * len(row)) for row in rows])
    generation = GenerationConfig(
        pad_token_id=0, eos_token_id=ends, max_new_tokens=NEW, do_sample=False,
        decoder_start_token_id=getattr(model.config, "decoder_start_token_id", None), **config,
    )
    out = model.generate(
        ids, attention_mask=mask, generation_config=generation, return_dict_in_generate=True, output_scores=True,
    )
    start = 1 if model.config.is_encoder_decoder else length
    found = []
    for row in out.sequences[:, start:].tolist():
        end = next((i for i, id in enumerate(row) if id in ends), len(row))
        found.append(row[:end])
    scores = [float(f"{score:.6g}") for score in out.sequences_scores.tolist()]
    returned = config.get("num_return_sequences", 1)
    return [
        {"sequences": found[i : i + returned], "scores": scores[i : i + returned]} for i in range(0, len(found), returned)
    ]


cases = []
for name in MODELS:
    kind = AutoModelForSeq2SeqLM if name in PAIRS else AutoModelForCausalLM
    model = kind.from_pretrained(goldens / name, dtype=torch.float32 if name == "bloom" else torch.float64).eval()
    model.generation_config = GenerationConfig()
    torch.set_default_dtype(torch.float32)
    # End tokens that come now and then.
    drawn = [ids for row in prompts[:12] for ids in made(model, [row], {"num_beams": 4}, [1])[0]["sequences"][0]]
    counts = sorted({id: drawn.count(id) for id in drawn}.items(), key=lambda pair: -pair[1])
    ends = [id for id, _ in counts[3:5]]
    for i, config in enumerate(configs):
        rows = prompts[i * 10 : i * 10 + 10]
        alone = [made(model, [row], config, ends)[0] for row in rows]
        together = [one for j in range(0, 10, 5) for one in made(model, rows[j : j + 5], config, ends)]
        assert [one["sequences"] for one in alone] == [one["sequences"] for one in together], (name, config)
        cases.append({
            "model": name, "config": {**config, "eos_token_id": ends, "max_new_tokens": NEW}, "prompts": rows, "alone": alone,
        })
    lengths = [len(s) for case in cases if case["model"] == name for one in case["alone"] for s in one["sequences"]]
    print(name, ends, "ended early:", sum(n < NEW for n in lengths), "of", len(lengths), flush=True)
target.parent.mkdir(exist_ok=True)
golden = {
    "source": "transformers", "version": transformers.__version__, "script": "tools/goldens/transformers/beams.py",
    "cases": cases,
}
target.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(target.stat().st_size)
