"""Losses of twenty steps of AdamW on the tiny checkpoints, for objectives whose loss is that of transformers' models."""

import json
import sys
from pathlib import Path

import torch
import transformers
from golden import double_precision, generator, reload
from safetensors.torch import load_file
from transformers import (
    BertForMaskedLM, BertForQuestionAnswering, BertForSequenceClassification, BertForTokenClassification,
    T5ForConditionalGeneration,
)

goldens, path = Path(sys.argv[1]), Path(sys.argv[2])
RATE, STEPS, IGNORED = 3e-3, 20, -100
B, T = 2, 9


def ids(random, length=T, vocabulary=90):
    return torch.randint(5, vocabulary, (B, length), generator=random)


def padded(random, length=T):
    """Ids of which the second row is padded, and their mask."""
    tokens, mask = ids(random, length), torch.ones(B, length, dtype=torch.long)
    mask[1, length - 3:] = 0
    return tokens * mask, mask


def masked(random):
    tokens, mask = padded(random)
    labels = torch.full_like(tokens, IGNORED)
    for row, place in ((0, 1), (0, 4), (0, 7), (1, 2)):
        labels[row, place] = tokens[row, place]
        tokens[row, place] = 3
    return {"input_ids": tokens, "attention_mask": mask, "labels": labels}


def labelled(count):
    def make(random):
        tokens, mask = padded(random)
        return {"input_ids": tokens, "attention_mask": mask,
                "labels": torch.randint(0, count, (B,), generator=random)}
    return make


def tagged(count):
    def make(random):
        tokens, mask = padded(random)
        labels = torch.randint(0, count, (B, T), generator=random).masked_fill(mask == 0, IGNORED)
        labels[:, 0] = IGNORED
        return {"input_ids": tokens, "attention_mask": mask, "labels": labels}
    return make


def scored(count):
    def make(random):
        tokens, mask = padded(random)
        values = torch.randn(B, count, generator=random).float()
        return {"input_ids": tokens, "attention_mask": mask, "labels": values}
    return make


def asked(random):
    tokens, mask = padded(random)
    return {"input_ids": tokens, "attention_mask": mask,
            "start_positions": torch.tensor([3, 1]), "end_positions": torch.tensor([5, 1])}


def paired(random):
    tokens, mask = padded(random)
    labels = ids(random, 6)
    labels[1, 4:] = IGNORED
    return {"input_ids": tokens, "attention_mask": mask, "labels": labels}


def train(objective, name, kind, make, change=None):
    """Losses with PyTorch's AdamW, matrices decaying, clipped at 1; two batches take turns."""
    random = generator(objective)
    batches = [make(random) for _ in range(2)]
    saved = load_file(goldens / name / "model.safetensors")
    with double_precision():
        model = reload(kind, goldens / name, saved)
        for key, value in (change or {}).items():
            setattr(model.config, key, value)
        parameters = [p for p in model.parameters() if p.requires_grad]
        groups = [
            {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": 0.01},
            {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(groups, lr=RATE)
        losses = []
        for step in range(STEPS):
            given = {k: v.double() if v.is_floating_point() else v for k, v in batches[step % 2].items()}
            loss = model(**given).loss
            losses.append(float(f"{loss.item():.9g}"))
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
    plain = [{k: {"shape": list(v.shape), "data": v.flatten().tolist()} for k, v in b.items()} for b in batches]
    print(objective, losses[0], losses[-1])
    return {"objective": objective, "model": name, "change": change or {}, "batches": plain, "losses": losses}


classes = {name: json.loads((goldens / name / "config.json").read_text()) for name in
           ("bert-sequence-classification", "bert-token-classification")}
count = {name: len(config.get("id2label", {0: 0, 1: 1})) for name, config in classes.items()}
cases = [
    train("masked language modeling", "bert-masked-lm", BertForMaskedLM, masked),
    train("sequence-to-sequence", "t5", T5ForConditionalGeneration, paired),
    train("sequence classification", "bert-sequence-classification", BertForSequenceClassification,
          labelled(count["bert-sequence-classification"]), {"problem_type": "single_label_classification"}),
    train("regression", "bert-sequence-classification", BertForSequenceClassification,
          scored(count["bert-sequence-classification"]), {"problem_type": "regression"}),
    train("token classification", "bert-token-classification", BertForTokenClassification,
          tagged(count["bert-token-classification"])),
    train("question answering", "bert-question-answering", BertForQuestionAnswering, asked),
]
note = {
    "source": "transformers", "version": transformers.__version__, "torch": torch.__version__,
    "script": "tools/goldens/transformers/objectives.py", "rate": RATE,
}
lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
path.write_text(json.dumps(note)[:-1] + ',\n"cases": [\n' + lines + "\n]}\n")
print(len(cases), path.stat().st_size)
