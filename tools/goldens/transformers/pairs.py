"""What the encoder-decoder families have in common: sources, targets, and the sizes of T5."""

import math

import torch
from golden import IGNORED, generator, token_ids

TARGETS = "mean over labels ≠ −100 of the cross entropy of logits[:, t] with labels[:, t]"


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
