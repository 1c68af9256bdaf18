"""Encoder-decoder families: the Transformer of 2017 (Marian), T5, BART."""

import math

import torch
import transformers
from golden import IGNORED, generator, record, token_ids
from transformers import (
    BartConfig, BartForConditionalGeneration, MarianConfig, MarianMTModel, T5Config, T5ForConditionalGeneration,
)

TARGETS = "mean over labels ≠ −100 of the cross entropy of logits[:, t] with labels[:, t]"
SMOOTHING = 0.1


def batch(name, vocabulary, pad, start, side):
    """Sources of 11, 7 and 4 tokens, targets of 7, 5 and 2; what the decoder reads begins with `start`."""
    random = generator(name)
    ids, mask = token_ids(random, vocabulary, (11, 7, 4), 11, side, pad)
    labels, label_mask = token_ids(random, vocabulary, (7, 5, 2), 7, "right", pad)
    decoder_ids = torch.cat([torch.full((3, 1), start), labels[:, :-1]], 1)
    return random, {
        "input_ids": ids,
        "attention_mask": mask,
        "decoder_input_ids": decoder_ids,
        "decoder_attention_mask": label_mask,
        "labels": labels.masked_fill(label_mask == 0, IGNORED),
    }


def smoothed(outputs, inputs):
    logits = outputs["logits"].flatten(0, 1)
    labels = inputs["labels"].flatten()
    return torch.nn.functional.cross_entropy(logits, labels, ignore_index=IGNORED, label_smoothing=SMOOTHING)


def interleaved(model):
    """Vaswani et al.'s own order: sines in the even columns, cosines in the odd ones."""
    for part in (model.model.encoder, model.model.decoder):
        table = part.embed_positions.weight
        count, dim = table.shape
        angles = torch.arange(count, dtype=torch.float64)[:, None] * 10000.0 ** (
            -torch.arange(0, dim, 2, dtype=torch.float64) / dim
        )
        with torch.no_grad():
            table.copy_(torch.stack([angles.sin(), angles.cos()], -1).flatten(1))


def halves(model):
    """Marian's order, in the precision of the model: its own table is rounded to single precision."""
    interleaved(model)
    for part in (model.model.encoder, model.model.decoder):
        table = part.embed_positions.weight
        with torch.no_grad():
            table.copy_(torch.cat([table[:, 0::2], table[:, 1::2]], 1))


marian = dict(
    vocab_size=97, d_model=20, encoder_layers=3, decoder_layers=3, encoder_attention_heads=5,
    decoder_attention_heads=5, encoder_ffn_dim=44, decoder_ffn_dim=44, max_position_embeddings=16,
    activation_function="relu", scale_embedding=True, dropout=0.0, pad_token_id=96, decoder_start_token_id=96,
    eos_token_id=0, forced_eos_token_id=None,
)


def without_bias(model):
    with torch.no_grad():
        model.final_logits_bias.zero_()


def transformer_2017(model):
    interleaved(model)
    without_bias(model)


for name, side, change, options in (
    ("transformer-2017", "right", transformer_2017, {"position_layout": "interleaved"}),
    ("marian", "left", halves, {}),
):
    random, inputs = batch(name, 97, 96, 96, side)
    # The start token is the padding's id, but it is read.
    record(
        name, MarianMTModel, MarianConfig(**marian, **options), inputs,
        (TARGETS + f", with label smoothing {SMOOTHING}: (1 − ε) of it plus ε of the mean over the vocabulary", smoothed),
        random=random, change=change,
    )

random, inputs = batch("bart", 101, 1, 2, "left")
bart = BartConfig(
    vocab_size=101, d_model=20, encoder_layers=3, decoder_layers=2, encoder_attention_heads=5,
    decoder_attention_heads=5, encoder_ffn_dim=44, decoder_ffn_dim=52, max_position_embeddings=16,
    dropout=0.0, forced_eos_token_id=None,
)
record("bart", BartForConditionalGeneration, bart, inputs, TARGETS, random=random)

t5 = dict(
    vocab_size=97, d_model=20, d_kv=6, d_ff=44, num_layers=3, num_decoder_layers=2, num_heads=5,
    relative_attention_num_buckets=8, relative_attention_max_distance=20, dropout_rate=0.0, decoder_start_token_id=0,
)


def small_queries(model):
    """T5 divides no score by √Dh: its queries are initialised smaller instead."""
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if key.endswith(".q.weight"):
                parameter.copy_((parameter.double() / math.sqrt(6)).float())


# Before version 5, transformers had heads that are not tied, as T5 v1.1 and FLAN-T5 have them.
t5_variants = {
    "t5": ("right", {}),
    "t5-v1.1": ("left", {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}),
}
for name, (side, options) in t5_variants.items():
    random, inputs = batch(name, 97, 0, 0, side)
    record(name, T5ForConditionalGeneration, T5Config(**t5, **options), inputs, TARGETS, random=random, init=small_queries)
