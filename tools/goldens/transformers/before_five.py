"""What version 5 of transformers has no more: T5's head that is not tied, and Transformer-XL."""

import torch
from golden import generator, record
from pairs import TARGETS, batch, small_queries, t5
from transformers import T5Config, T5ForConditionalGeneration
from transfo_xl import SEGMENT, TransfoXLLMHeadModel, segments
from transformers.models.deprecated.transfo_xl import TransfoXLConfig

random, inputs = batch("t5-v1.1", 97, 0, 0, "left")
config = T5Config(feed_forward_proj="gated-gelu", tie_word_embeddings=False, **t5)
record("t5-v1.1", T5ForConditionalGeneration, config, inputs, TARGETS, random=random, init=small_queries)

def exact_frequencies(model):
    """The file holds them rounded to single precision."""
    embedding = model.transformer.pos_emb
    exact = 10000.0 ** (-torch.arange(0, embedding.demb, 2, dtype=torch.float64) / embedding.demb)
    with torch.no_grad():
        embedding.inv_freq.copy_(exact)


sizes = dict(
    vocab_size=97, d_model=20, n_head=5, d_head=6, d_inner=44, n_layer=3, mem_len=5, dropout=0.0, dropatt=0.0,
    eos_token_id=None,
)
variants = {
    "transformer-xl-adaptive": dict(cutoffs=[23, 53], d_embed=20, div_val=2, clamp_len=8, same_length=True),
    "transformer-xl-plain": dict(
        cutoffs=[], adaptive=False, d_embed=12, div_val=1, clamp_len=-1, same_length=False, untie_r=False,
    ),
    "transformer-xl-pre-norm": dict(
        cutoffs=[], adaptive=False, d_embed=20, div_val=1, clamp_len=-1, same_length=False, pre_lnorm=True,
    ),
}
for name, options in variants.items():
    random = generator(name)
    ids = torch.randint(0, 97, (3, 2 * SEGMENT), generator=random)
    labels = torch.randint(0, 97, (3, 2 * SEGMENT), generator=random)
    record(
        name, TransfoXLLMHeadModel, TransfoXLConfig(trainer_compatible=True, **sizes, **options),
        {"input_ids": ids, "labels": labels},
        f"sum over segments of {SEGMENT} tokens of the mean of −log_probabilities[:, t] at labels[:, t + 1], both of "
        "the segment; memory carries no gradient",
        random=random, change=exact_frequencies, run=segments,
    )
