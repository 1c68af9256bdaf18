"""Perplexities and class probabilities of token sequences, each alone, from the checkpoints of the other scripts."""

import json
import sys
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

goldens = Path(sys.argv[1])
target = goldens.parent.parent / "runs" / "src" / "goldens" / "text-scores.json"
torch.manual_seed(23)
options = {"dtype": torch.float64, "attn_implementation": "eager"}


def rows_of(model, lengths):
    return [torch.randint(5, model.config.vocab_size, (n,)) for n in lengths]


def perplexities(name, lengths):
    """The exponential of the mean loss over windows of the context, each token but the first predicted once."""
    model = AutoModelForCausalLM.from_pretrained(goldens / name, **options).eval()
    context = model.config.max_position_embeddings
    rows, values = rows_of(model, lengths), []
    for row in rows:
        total = 0.0
        for first in range(0, len(row) - 1, context):
            window = row[first : first + context + 1]
            with torch.no_grad():
                logits = model(input_ids=window[None, :-1]).logits[0]
            total += torch.nn.functional.cross_entropy(logits, window[1:], reduction="sum").item()
        values.append(torch.exp(torch.tensor(total / (len(row) - 1), dtype=torch.float64)).item())
    return {"context": context, "ids": [row.tolist() for row in rows], "values": values}


def probabilities(name, lengths):
    model = AutoModelForSequenceClassification.from_pretrained(goldens / name, **options).eval()
    rows = rows_of(model, lengths)
    with torch.no_grad():
        values = [model(input_ids=row[None]).logits[0].softmax(-1).tolist() for row in rows]
    return {"ids": [row.tolist() for row in rows], "values": values}


target.write_text(json.dumps({
    "source": f"transformers {transformers.__version__}, torch {torch.__version__}, in float64",
    "script": "tools/goldens/transformers/text_scores.py",
    "perplexities": {name: perplexities(name, (2, 9, 16, 17, 40, 33)) for name in ("gpt2", "llama")},
    "probabilities": {
        name: probabilities(name, (4, 11, 1, 7, 7))
        for name in ("bert-sequence-classification", "roberta-sequence-classification", "gpt2-sequence-classification")
    },
}, separators=(",", ":")) + "\n")
