"""Greedy sequences: alone, and checked to be the same in padded batches and, of decoders, with drafts by prompt look-up."""

import json
import sys
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, GenerationConfig

goldens = Path(sys.argv[1])
target = goldens.parent.parent / "generation" / "src" / "goldens" / "greedy.json"
PAIRS = ("t5", "bart")
# New tokens, as many as the context has room for behind the longest prompt.
NEW = {"gpt2": 8, "llama": 16, "mistral": 16, "bloom": 16, "t5": 16, "bart": 12}
torch.manual_seed(26)
prompts = [torch.randint(2, 97, (int(n),)).tolist() for n in torch.randint(1, 9, (50,))]
# Some repeat themselves, so that drafts come from the prompt as well.
prompts = [row[: len(row) // 2] * 2 if i % 2 and len(row) > 1 else row for i, row in enumerate(prompts)]
configs = [{}, {"repetition_penalty": 1.4, "no_repeat_ngram_size": 2, "min_new_tokens": 4}]


def made(model, rows, ends, **config):
    """The new tokens of each row up to its end token."""
    length = max(map(len, rows))

    def padded(row, values):
        """On the side where tokenizers put it: before a decoder's prompt, behind an encoder's input."""
        padding = [0] * (length - len(row))
        return values + padding if model.config.is_encoder_decoder else padding + values

    ids = torch.tensor([padded(row, row) for row in rows])
    mask = torch.tensor([padded(row, [1] * len(row)) for row in rows])
    generation = GenerationConfig(
        pad_token_id=0, eos_token_id=ends, do_sample=False,
        decoder_start_token_id=getattr(model.config, "decoder_start_token_id", None), **config,
    )
    out = model.generate(ids, attention_mask=mask, generation_config=generation)
    start = 1 if model.config.is_encoder_decoder else length
    return [row[: next((i for i, id in enumerate(row) if id in ends), len(row))] for row in out[:, start:].tolist()]


cases = []
for name, new in NEW.items():
    kind = AutoModelForSeq2SeqLM if name in PAIRS else AutoModelForCausalLM
    model = kind.from_pretrained(goldens / name, dtype=torch.float32 if name == "bloom" else torch.float64).eval()
    model.generation_config = GenerationConfig()
    torch.set_default_dtype(torch.float32)
    # End tokens that come now and then.
    drawn = [id for row in prompts[:12] for id in made(model, [row], [], max_new_tokens=new)[0]]
    counts = sorted({id: drawn.count(id) for id in drawn}.items(), key=lambda pair: -pair[1])
    ends = [id for id, _ in counts[3:5] or counts[-1:]]
    for settings in configs:
        config = {**settings, "max_new_tokens": new}
        alone = [made(model, [row], ends, **config)[0] for row in prompts]
        # Penalties and n-grams of transformers count padding as tokens of the prompt, so that batches differ.
        if not settings:
            together = [ids for i in range(0, 50, 10) for ids in made(model, prompts[i : i + 10], ends, **config)]
            assert alone == together, name
        if name not in PAIRS and not settings:
            for row, ids in zip(prompts, alone):
                assert made(model, [row], ends, prompt_lookup_num_tokens=3, **config)[0] == ids, (name, row)
        cases.append({"model": name, "config": {**config, "eos_token_id": ends}, "made": alone})
        print(name, settings, ends, "ended early:", sum(len(ids) < new for ids in alone), "of 50", flush=True)
golden = {
    "source": "transformers", "version": transformers.__version__, "script": "tools/goldens/transformers/greedy.py",
    "prompts": prompts, "cases": cases,
}
target.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(target.stat().st_size)
