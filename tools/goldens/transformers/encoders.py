"""Encoder-only families: BERT with each of its heads, RoBERTa."""

import torch
from golden import IGNORED, generator, record, token_ids
from transformers import (
    BertConfig, BertForMaskedLM, BertForNextSentencePrediction, BertForPreTraining, BertForQuestionAnswering,
    BertForSequenceClassification, BertForTokenClassification, BertModel, RobertaConfig, RobertaForMaskedLM,
    RobertaForSequenceClassification,
)

sizes = dict(
    hidden_size=20, num_hidden_layers=3, num_attention_heads=5, intermediate_size=44,
    hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
)
bert = BertConfig(vocab_size=101, max_position_embeddings=16, type_vocab_size=3, **sizes)
MASKED = "mean over labels ≠ −100 of the cross entropy of logits with labels"
CLASSES = "mean cross entropy of logits [B, labels] with labels"


def batch(name, config, side, types=True):
    """Three rows of 11, 7 and 4 tokens; token types change where a second sentence begins."""
    random = generator(name)
    ids, mask = token_ids(random, config.vocab_size, (11, 7, 4), 11, side, pad=config.pad_token_id)
    inputs = {"input_ids": ids, "attention_mask": mask}
    if types:
        inputs["token_type_ids"] = (torch.randint(0, 3, ids.shape, generator=random).cumsum(1) // 6).clamp(max=2) * mask
    return random, inputs


def masked_labels(random, vocabulary, mask):
    """A label at about every second token."""
    labels = torch.randint(0, vocabulary, mask.shape, generator=random)
    chosen = torch.randint(0, 2, mask.shape, generator=random) * mask
    return labels.masked_fill(chosen == 0, IGNORED)


def cotangent_loss(*names):
    """A loss that reaches every value of the outputs: their products with given numbers, summed."""
    def loss(outputs, inputs):
        return sum((outputs[n] * inputs[f"cotangent.{n}"]).sum() for n in names)
    return "Σ over " + ", ".join(names) + " of the sum of output × inputs.cotangent", loss


def bert_head(name, kind, side, labels, loss, config=bert):
    random, inputs = batch(name, config, side)
    inputs |= labels(random, inputs["attention_mask"])
    record(name, kind, config, inputs, loss, random=random)


def with_labels(count):
    return BertConfig(**(bert.to_dict() | {"id2label": {i: f"LABEL_{i}" for i in range(count)}}))


bert_head(
    "bert-masked-lm", BertForMaskedLM, "left",
    lambda random, mask: {"labels": masked_labels(random, 101, mask)}, MASKED,
)
bert_head(
    "bert-pretraining", BertForPreTraining, "right",
    lambda random, mask: {
        "labels": masked_labels(random, 101, mask), "next_sentence_label": torch.tensor([1, 0, 1]),
    },
    "mean over labels ≠ −100 of the cross entropy of prediction_logits with labels, plus the mean cross entropy of "
    "seq_relationship_logits with next_sentence_label",
)
bert_head(
    "bert-next-sentence", BertForNextSentencePrediction, "right",
    lambda random, mask: {"labels": torch.tensor([0, 1, 1])}, CLASSES,
)
bert_head(
    "bert-sequence-classification", BertForSequenceClassification, "right",
    lambda random, mask: {"labels": torch.tensor([2, 0, 1])}, CLASSES, with_labels(3),
)
bert_head(
    "bert-token-classification", BertForTokenClassification, "left",
    lambda random, mask: {"labels": torch.randint(0, 5, mask.shape, generator=random).masked_fill(mask == 0, IGNORED)},
    MASKED, with_labels(5),
)
bert_head(
    "bert-question-answering", BertForQuestionAnswering, "right",
    lambda random, mask: {"start_positions": torch.tensor([3, 0, 1]), "end_positions": torch.tensor([9, 4, 3])},
    "half the sum of the mean cross entropies over positions of start_logits with start_positions and of end_logits "
    "with end_positions; the scores of padding count as they are, so they are kept",
)

random, inputs = batch("bert", bert, "right")
mask = inputs["attention_mask"]
inputs["cotangent.last_hidden_state"] = torch.randn(3, 11, 20, generator=random) * mask[:, :, None]
inputs["cotangent.pooler_output"] = torch.randn(3, 20, generator=random)
inputs["cotangent.sentence_embedding"] = torch.randn(3, 20, generator=random)


def sentence_embedding(outputs, inputs):
    """What sentence-transformers makes of the last layer: the mean over tokens, at length 1."""
    mask = inputs["attention_mask"][:, :, None].double()
    mean = (outputs["last_hidden_state"] * mask).sum(1) / mask.sum(1)
    return {"sentence_embedding": torch.nn.functional.normalize(mean, dim=-1)}


record(
    "bert", BertModel, bert, inputs,
    cotangent_loss("last_hidden_state", "pooler_output", "sentence_embedding"),
    random=random, extra=sentence_embedding,
)

roberta = dict(vocab_size=103, max_position_embeddings=16, type_vocab_size=1, pad_token_id=1, **sizes)
for name, side in (("roberta-masked-lm", "left"), ("roberta-masked-lm-right", "right")):
    config = RobertaConfig(**roberta)
    random, inputs = batch(name, config, side, types=False)
    inputs["labels"] = masked_labels(random, 103, inputs["attention_mask"])
    record(name, RobertaForMaskedLM, config, inputs, MASKED, random=random)
config = RobertaConfig(num_labels=3, **roberta)
random, inputs = batch("roberta-sequence-classification", config, "right", types=False)
inputs["labels"] = torch.tensor([1, 2, 0])
record("roberta-sequence-classification", RobertaForSequenceClassification, config, inputs, CLASSES, random=random)
