"""Losses of twenty steps of AdamW on the tiny checkpoints, for objectives whose loss is that of transformers' models."""

import json
import sys
from pathlib import Path

import torch
import transformers
from golden import double_precision, generator, reload
from safetensors.torch import load_file
from transformers import (
    BertForMaskedLM, BertForQuestionAnswering, BertForSequenceClassification, BertForTokenClassification, BertModel,
    GPT2LMHeadModel, T5ForConditionalGeneration,
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


def contrasted(parts):
    def make(random):
        both = {part: padded(random, 7) for part in parts}
        return {f"{part}_{key}": value for part, pair in both.items() for key, value in zip(("ids", "mask"), pair)}
    return make


def vectors(model, batch, part):
    mask = batch[f"{part}_mask"]
    hidden = model(input_ids=batch[f"{part}_ids"], attention_mask=mask).last_hidden_state
    mean = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    return torch.nn.functional.normalize(mean, dim=-1)


def info_nce(model, batch):
    anchors, positives, negatives = (vectors(model, batch, part) for part in ("anchors", "positives", "negatives"))
    scores = anchors @ torch.cat([positives, negatives]).T / 0.05
    return torch.nn.functional.cross_entropy(scores, torch.arange(B))


def clip(model, batch):
    scores = vectors(model, batch, "anchors") @ vectors(model, batch, "positives").T * model.scale.exp()
    return (torch.nn.functional.cross_entropy(scores, torch.arange(B))
            + torch.nn.functional.cross_entropy(scores.T, torch.arange(B))) / 2


def triplet(model, batch):
    return torch.nn.functional.triplet_margin_loss(
        *(vectors(model, batch, part) for part in ("anchors", "positives", "negatives")), margin=1.0)


def taught(random):
    tokens, labels = ids(random), ids(random)
    labels[1, 6:] = IGNORED
    teacher = torch.stack([torch.randperm(90, generator=random)[:4] for _ in range(B * T)]).reshape(B, T, 4)
    return {"input_ids": tokens, "targets": labels, "teacher_ids": teacher,
            "teacher_logits": torch.randn(B, T, 4, generator=random).float()}


def distilled(model, batch):
    logits, labels = model(input_ids=batch["input_ids"]).logits, batch["targets"]
    teacher = torch.full_like(logits, -torch.inf).scatter(2, batch["teacher_ids"], batch["teacher_logits"] / 2)
    rows = torch.nn.functional.kl_div(
        (logits / 2).log_softmax(-1), teacher.softmax(-1), reduction="none").sum(-1)
    hard = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
    return 0.7 * 4 * rows[labels != IGNORED].mean() + 0.3 * hard


def train(objective, name, kind, make, change=None, loss_of=lambda model, given: model(**given).loss, scale=None):
    """Losses with PyTorch's AdamW, matrices decaying, clipped at 1; two batches take turns."""
    random = generator(objective)
    batches = [make(random) for _ in range(2)]
    saved = load_file(goldens / name / "model.safetensors")
    with double_precision():
        model = reload(kind, goldens / name, saved)
        for key, value in (change or {}).items():
            setattr(model.config, key, value)
        if scale is not None:
            model.scale = torch.nn.Parameter(torch.tensor(scale))
        parameters = [p for p in model.parameters() if p.requires_grad]
        groups = [
            {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": 0.01},
            {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(groups, lr=RATE)
        losses = []
        for step in range(STEPS):
            given = {k: v.double() if v.is_floating_point() else v for k, v in batches[step % 2].items()}
            loss = loss_of(model, given)
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
    train("contrastive learning of pairs", "bert", BertModel, contrasted(("anchors", "positives", "negatives")),
          loss_of=info_nce),
    train("CLIP", "bert", BertModel, contrasted(("anchors", "positives")), loss_of=clip, scale=2.6593),
    train("triplets", "bert", BertModel, contrasted(("anchors", "positives", "negatives")), loss_of=triplet),
    train("distillation", "gpt2", GPT2LMHeadModel, taught, loss_of=distilled),
]
note = {
    "source": "transformers", "version": transformers.__version__, "torch": torch.__version__,
    "script": "tools/goldens/transformers/objectives.py", "rate": RATE,
}
lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
path.write_text(json.dumps(note)[:-1] + ',\n"cases": [\n' + lines + "\n]}\n")
print(len(cases), path.stat().st_size)
