"""Log-probabilities of completions and perplexities in sliding windows, in float64, from the checkpoints of the other scripts."""

import json
import math
import sys
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

goldens = Path(sys.argv[1])
target = goldens.parent.parent / "generation" / "src" / "goldens" / "scores.json"
ALTERNATIVES = 2
torch.manual_seed(16)


def random_ids(least, most):
    return torch.randint(2, 97, (int(torch.randint(least, most, ())),)).tolist()


def scored(model, prompt, completion):
    """The log-probability and the greedy token at each place of the completion, and the likeliest ones."""
    if model.config.is_encoder_decoder:
        start = [model.config.decoder_start_token_id]
        inputs = {"input_ids": torch.tensor([prompt]), "decoder_input_ids": torch.tensor([start + completion[:-1]])}
    else:
        inputs = {"input_ids": torch.tensor([prompt + completion[:-1]])}
    logs = model(**inputs, use_cache=False).logits[0, -len(completion):].log_softmax(-1)
    best = logs.topk(ALTERNATIVES)
    return {
        "prompt": prompt, "completion": completion,
        "logProbabilities": [round(float(logs[i, id]), 7) for i, id in enumerate(completion)],
        "greedy": logs.argmax(-1).tolist(),
        "alternatives": best.indices.tolist(),
    }


def perplexity(model, ids, window, stride):
    """The loop of the documentation of transformers, with sums instead of means that are weighted one token short."""
    ids, nll, count, before = torch.tensor([ids]), 0.0, 0, 0
    documented, weights = 0.0, 0
    for begin in range(0, ids.shape[1], stride):
        end = min(begin + window, ids.shape[1])
        labels = ids[:, begin:end].clone()
        labels[:, : -(end - before)] = -100
        loss = float(model(ids[:, begin:end], labels=labels, use_cache=False).loss)
        valid = int((labels[:, 1:] != -100).sum())
        nll, count = nll + loss * valid, count + valid
        weight = int((labels != -100).sum()) - 1
        documented, weights = documented + loss * weight, weights + weight
        before = end
        if end == ids.shape[1]:
            break
    return {
        "maxLength": window, "stride": stride, "perplexity": math.exp(nll / count), "tokens": count,
        "documented": math.exp(documented / weights),
    }


text = random_ids(60, 61)
cases = []
for name in ("gpt2", "llama", "mistral", "bloom", "t5", "bart"):
    pair = name in ("t5", "bart")
    kind = AutoModelForSeq2SeqLM if pair else AutoModelForCausalLM
    model = kind.from_pretrained(goldens / name, dtype=torch.float64, attn_implementation="eager").eval()
    with torch.no_grad():
        pairs = [(random_ids(1, 7), random_ids(1, 9)) for _ in range(6)]
        if not pair:
            # What greedy decoding gives, and almost that.
            made = model.generate(torch.tensor([pairs[0][0]]), max_new_tokens=4, do_sample=False, pad_token_id=0)[0]
            made = made[len(pairs[0][0]):].tolist()
            pairs += [(pairs[0][0], made), (pairs[0][0], made[:3] + [(made[3] + 1) % 97])]
        cases.append({
            "model": name, "scores": [scored(model, *one) for one in pairs],
            "text": None if pair else text,
            "perplexities": [] if pair else [perplexity(model, text, *sizes) for sizes in ((16, 8), (16, 16), (12, 5), (15, 1))],
        })
golden = {
    "source": "transformers", "version": transformers.__version__, "script": "tools/goldens/transformers/scores.py",
    "cases": cases,
}
target.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(target.stat().st_size, [p for c in cases for p in c["perplexities"]])
