"""Encoders after BERT and RoBERTa: DistilBERT, XLM-RoBERTa, CamemBERT, ELECTRA, MPNet, ALBERT, ModernBERT, DeBERTa."""

import torch
from golden import IGNORED, generator, record, token_ids
from transformers import (
    AlbertConfig, AlbertForMaskedLM, AlbertForQuestionAnswering, AlbertForSequenceClassification, AlbertForTokenClassification, AlbertModel, BertConfig, BertForSequenceClassification, CamembertConfig, CamembertForMaskedLM,
    DebertaV2Config, DebertaV2ForMaskedLM, DebertaV2ForQuestionAnswering, DebertaV2ForSequenceClassification, DebertaV2ForTokenClassification,
    DebertaV2Model,
    DistilBertConfig, DistilBertForMaskedLM, DistilBertForQuestionAnswering, DistilBertForSequenceClassification,
    DistilBertModel, ElectraConfig, ElectraForMaskedLM, ElectraForPreTraining, ElectraForQuestionAnswering, ElectraForSequenceClassification,
    ElectraForTokenClassification, ElectraModel, ModernBertConfig, ModernBertForMaskedLM, ModernBertForQuestionAnswering,
    ModernBertForSequenceClassification, ModernBertForTokenClassification, ModernBertModel, MPNetConfig, MPNetForMaskedLM, MPNetForQuestionAnswering,
    MPNetForSequenceClassification, MPNetForTokenClassification, MPNetModel, XLMRobertaConfig,
    XLMRobertaForTokenClassification,
)

MASKED = "mean over labels ≠ −100 of the cross entropy of logits with labels"
CLASSES = "mean cross entropy of logits [B, labels] with labels"
ANSWERS = (
    "half the sum of the mean cross entropies over positions of start_logits with start_positions and of end_logits "
    "with end_positions; the scores of padding count as they are, so they are kept"
)
LENGTHS, LONGEST = (9, 5, 2), 9
sizes = dict(
    vocab_size=43, hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=14,
    hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, max_position_embeddings=13,
)


def batch(name, config, side, lengths=LENGTHS):
    """Three rows of unequal length; token types, where the model has some, change once in a row."""
    random = generator(name)
    pad = config.pad_token_id
    ids, mask = token_ids(random, config.vocab_size, lengths, max(lengths), side, pad=pad)
    inputs = {"input_ids": ids, "attention_mask": mask}
    types = getattr(config, "type_vocab_size", 0)
    if types > 1:
        chosen = torch.randint(0, types, ids.shape, generator=random)
        inputs["token_type_ids"] = (chosen.cumsum(1) // 4).clamp(max=types - 1) * mask
    return random, inputs


def masked_labels(random, inputs, vocabulary):
    """A label at about every second token."""
    mask = inputs["attention_mask"]
    labels = torch.randint(0, vocabulary, mask.shape, generator=random)
    chosen = torch.randint(0, 2, mask.shape, generator=random) * mask
    for end in (0, -1):
        chosen[:, end] = mask[:, end]
    return labels.masked_fill(chosen == 0, IGNORED)


def cotangents(random, inputs, **shapes):
    """Numbers to multiply outputs with, zero at padding, and the loss that is their sum."""
    mask = inputs["attention_mask"]
    for name, shape in shapes.items():
        values = torch.randn(shape, generator=random)
        wide = mask.reshape(mask.shape + (1,) * (len(shape) - 2)) if shape[:2] == mask.shape else 1
        inputs[f"cotangent.{name}"] = values * wide

    def loss(outputs, inputs):
        return sum((outputs[name] * inputs[f"cotangent.{name}"]).sum() for name in shapes)

    return "Σ over " + ", ".join(shapes) + " of the sum of output × inputs.cotangent", loss


def head(name, kind, config, side, **more):
    """A model under a head whose loss is transformers' own."""
    random, inputs = batch(name, config, side, **more)
    rows, length = inputs["input_ids"].shape
    labels = getattr(config, "num_labels", 2)
    of = kind.__name__.removeprefix(type(config).__name__.removesuffix("Config")).rsplit("For", 1)[-1]
    if of == "MaskedLM":
        loss, inputs["labels"] = MASKED, masked_labels(random, inputs, config.vocab_size)
    elif of == "SequenceClassification" and labels == 1:
        loss = cotangents(random, inputs, logits=(rows, 1))
    elif of == "SequenceClassification":
        loss, inputs["labels"] = CLASSES, torch.randint(0, labels, (rows,), generator=random)
    elif of == "TokenClassification":
        loss, inputs["labels"] = MASKED, masked_labels(random, inputs, labels)
    elif of == "QuestionAnswering":
        loss = ANSWERS
        inputs["start_positions"] = torch.arange(rows)
        inputs["end_positions"] = torch.arange(rows) + 1
    elif of == "PreTraining":
        loss = cotangents(random, inputs, logits=(rows, length))
    else:
        shapes = dict(last_hidden_state=(rows, length, config.hidden_size))
        pooled = hasattr(kind(config), "pooler")
        loss = cotangents(random, inputs, **shapes, **(dict(pooler_output=(rows, config.hidden_size)) if pooled else {}))
    record(name, kind, config, inputs, loss, random=random)


def with_labels(config, count):
    return type(config)(**(config.to_dict() | {"id2label": {i: f"LABEL_{i}" for i in range(count)}, "label2id": None}))


distil = DistilBertConfig(
    vocab_size=43, dim=12, n_layers=2, n_heads=3, hidden_dim=14, dropout=0.0, attention_dropout=0.0, qa_dropout=0.0,
    seq_classif_dropout=0.0, max_position_embeddings=13, num_labels=2,
)
head("distilbert", DistilBertModel, distil, "right")
head("distilbert-masked-lm", DistilBertForMaskedLM, distil, "left")
head("distilbert-question-answering", DistilBertForQuestionAnswering, distil, "right")
head(
    "distilbert-sequence-classification", DistilBertForSequenceClassification,
    with_labels(distil, 3), "left",
)

roberta = sizes | dict(type_vocab_size=1, pad_token_id=1)
head(
    "xlm-roberta-token-classification", XLMRobertaForTokenClassification,
    XLMRobertaConfig(num_labels=4, **roberta), "left",
)
head("camembert-masked-lm", CamembertForMaskedLM, CamembertConfig(**roberta), "right")

electra = sizes | dict(type_vocab_size=3, embedding_size=8)
head("electra", ElectraModel, ElectraConfig(**electra), "right")
head("electra-masked-lm", ElectraForMaskedLM, ElectraConfig(**electra), "left")
head("electra-pretraining", ElectraForPreTraining, ElectraConfig(**(electra | dict(embedding_size=12))), "right")
head(
    "electra-sequence-classification", ElectraForSequenceClassification, ElectraConfig(num_labels=3, **electra), "left",
)
head("electra-token-classification", ElectraForTokenClassification, ElectraConfig(num_labels=4, **electra), "right")
head("electra-question-answering", ElectraForQuestionAnswering, ElectraConfig(**electra), "left")

albert = sizes | dict(type_vocab_size=2, embedding_size=8, num_hidden_layers=4, num_hidden_groups=2)
head("albert", AlbertModel, AlbertConfig(**albert), "right")
head("albert-masked-lm", AlbertForMaskedLM, AlbertConfig(**(albert | dict(num_hidden_layers=3, num_hidden_groups=1))), "left")
head(
    "albert-sequence-classification", AlbertForSequenceClassification,
    AlbertConfig(num_labels=3, classifier_dropout_prob=0.0, **(albert | dict(num_hidden_layers=2, inner_group_num=2))), "left",
)
shallow = albert | dict(num_hidden_layers=2)
head(
    "albert-token-classification", AlbertForTokenClassification,
    AlbertConfig(num_labels=4, classifier_dropout_prob=0.0, **shallow), "right",
)
head("albert-question-answering", AlbertForQuestionAnswering, AlbertConfig(**(shallow | dict(num_hidden_groups=1))), "left")

mpnet = sizes | dict(pad_token_id=1, max_position_embeddings=25)
far = dict(lengths=(23, 5, 2))
head("mpnet", MPNetModel, MPNetConfig(**mpnet), "right", **far)
head("mpnet-masked-lm", MPNetForMaskedLM, MPNetConfig(**mpnet), "left")
head("mpnet-sequence-classification", MPNetForSequenceClassification, MPNetConfig(num_labels=3, **mpnet), "left")
head("mpnet-token-classification", MPNetForTokenClassification, MPNetConfig(num_labels=4, **mpnet), "left")
head("mpnet-question-answering", MPNetForQuestionAnswering, MPNetConfig(**mpnet), "right")

modern = {k: v for k, v in sizes.items() if not k.endswith("dropout_prob")} | dict(
    num_hidden_layers=4, local_attention=6, pad_token_id=3, bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2,
)
biased = modern | dict(
    num_hidden_layers=2, norm_bias=True, attention_bias=True, mlp_bias=True, classifier_bias=True,
    layer_types=["sliding_attention", "full_attention"],
)
head("modernbert", ModernBertModel, ModernBertConfig(**modern), "left")
head("modernbert-masked-lm", ModernBertForMaskedLM, ModernBertConfig(**(modern | dict(num_hidden_layers=3))), "right")
head("modernbert-biases", ModernBertForMaskedLM, ModernBertConfig(**biased), "left")
head(
    "modernbert-sequence-classification", ModernBertForSequenceClassification,
    ModernBertConfig(num_labels=3, classifier_pooling="mean", **biased), "right",
)
head(
    "modernbert-token-classification", ModernBertForTokenClassification,
    ModernBertConfig(num_labels=4, **(modern | dict(num_hidden_layers=2))), "right",
)
head(
    "modernbert-question-answering", ModernBertForQuestionAnswering,
    # Where a query of padding has a window, transformers gives it an even mean.
    ModernBertConfig(**(modern | dict(num_hidden_layers=2, local_attention=40))), "right",
)

deberta = sizes | dict(relative_attention=True, layer_norm_eps=1e-7, max_position_embeddings=16)
third = deberta | dict(
    position_buckets=6, norm_rel_ebd="layer_norm", share_att_key=True, pos_att_type="p2c|c2p", position_biased_input=False,
)
head("deberta", DebertaV2Model, DebertaV2Config(**third), "right", lengths=(15, 5, 2))
head("deberta-masked-lm", DebertaV2ForMaskedLM, DebertaV2Config(**third), "left")
head(
    "deberta-own-projections", DebertaV2ForMaskedLM,
    DebertaV2Config(**(deberta | dict(max_relative_positions=5, pos_att_type=["c2p", "p2c"], type_vocab_size=2, legacy=False))),
    "right",
)
head(
    "deberta-sequence-classification", DebertaV2ForSequenceClassification,
    DebertaV2Config(num_labels=1, **(deberta | dict(pos_att_type="c2p", position_biased_input=False))), "right",
)
head(
    "deberta-token-classification", DebertaV2ForTokenClassification,
    DebertaV2Config(num_labels=4, **(deberta | dict(position_buckets=6, pos_att_type="p2c"))), "left",
)
head(
    # Without padding, whose queries transformers gives an even mean.
    "deberta-question-answering", DebertaV2ForQuestionAnswering, DebertaV2Config(**third), "right", lengths=(9, 9, 9),
)

head("bert-reranker", BertForSequenceClassification, BertConfig(num_labels=1, type_vocab_size=2, **sizes), "right")
