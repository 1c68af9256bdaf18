"""Twenty steps of AdamW for objectives whose loss is that of transformers' models, or a few lines of PyTorch."""

import torch
from golden import IGNORED, generator
from steps import VOCABULARY, folder, make_models, run, write

B, T = 2, 9


def ids(random, length=T, rows=B):
    return torch.randint(5, VOCABULARY - 3, (rows, length), generator=random)


def padded(random, length=T, rows=B):
    """Ids, padded in the second row, and their mask."""
    tokens, mask = ids(random, length, rows), torch.ones(rows, length, dtype=torch.long)
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
        both = {part: padded(random, 7, rows=4) for part in parts}
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
    return torch.nn.functional.cross_entropy(scores, torch.arange(len(scores)))


def clip(model, batch):
    scores = vectors(model, batch, "anchors") @ vectors(model, batch, "positives").T * model.scale.exp()
    return (torch.nn.functional.cross_entropy(scores, torch.arange(len(scores)))
            + torch.nn.functional.cross_entropy(scores.T, torch.arange(len(scores)))) / 2


def triplet(model, batch):
    return torch.nn.functional.triplet_margin_loss(
        *(vectors(model, batch, part) for part in ("anchors", "positives", "negatives")), margin=1.0)


def taught(random):
    tokens, labels = ids(random), ids(random)
    labels[1, 6:] = IGNORED
    teacher = torch.stack([torch.randperm(VOCABULARY, generator=random)[:4] for _ in range(B * T)]).reshape(B, T, 4)
    return {"input_ids": tokens, "targets": labels, "teacher_ids": teacher,
            "teacher_logits": torch.randn(B, T, 4, generator=random).float()}


def distilled(model, batch):
    logits, labels = model(input_ids=batch["input_ids"]).logits, batch["targets"]
    teacher = torch.full_like(logits, -torch.inf).scatter(2, batch["teacher_ids"], batch["teacher_logits"] / 2)
    rows = torch.nn.functional.kl_div(
        (logits / 2).log_softmax(-1), teacher.softmax(-1), reduction="none").sum(-1)
    hard = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
    return 0.7 * 4 * rows[labels != IGNORED].mean() + 0.3 * hard


def corrupted(random):
    """T5's span corruption: two spans of a text of 11, each replaced by a sentinel, counted from the vocabulary's end."""
    sources, targets = [], []
    for first, second in ((1, 6), (3, 8)):
        text = torch.randint(5, VOCABULARY - 3, (11,), generator=random).tolist()
        a, b, end = VOCABULARY - 1, VOCABULARY - 2, 1
        sources.append([*text[:first], a, *text[first + 2:second], b, *text[second + 3:], end])
        targets.append([a, *text[first:first + 2], b, *text[second:second + 3], end])
    return {"input_ids": torch.tensor(sources), "labels": torch.tensor(targets)}


def case(objective, name, make, loss_of=None, batches=2, **options):
    random = generator(objective)
    given = [make(random) for _ in range(batches)]
    made = run(objective, name, given, **({"loss_of": loss_of} if loss_of else {}), **options)
    return {"objective": objective, **made}


if __name__ == "__main__":
    make_models()
    write(folder / "objectives.json", "objectives.py", [
        case("masked language modeling", "bert-masked-lm", masked),
        case("span corruption", "t5", corrupted),
        case("sequence-to-sequence", "t5", paired),
        case("sequence classification", "bert-sequence-classification", labelled(3),
             change={"problem_type": "single_label_classification"}),
        case("regression", "bert-sequence-classification", scored(3), change={"problem_type": "regression"}),
        case("token classification", "bert-token-classification", tagged(4)),
        case("question answering", "bert-question-answering", asked),
        case("contrastive learning of pairs", "bert", contrasted(("anchors", "positives", "negatives")), info_nce,
             batches=7),
        case("CLIP", "bert", contrasted(("anchors", "positives")), clip, scale=2.6593, batches=7),
        case("triplets", "bert", contrasted(("anchors", "positives", "negatives")), triplet,
             batches=7),
        case("distillation", "gpt2", taught, distilled),
    ])
