"""Encoder-decoders that came after T5 and BART: small, and each with 40 greedy tokens, the first forced in models of languages."""

import torch
from golden import double_precision, generator, record
from language_models import GREEDY_TOKENS
from pairs import TARGETS, batch, small_queries
from transformers import (
    M2M100Config, M2M100ForConditionalGeneration, MBartConfig, MBartForConditionalGeneration, MT5Config,
    MT5ForConditionalGeneration, PegasusConfig, PegasusForConditionalGeneration, UMT5Config, UMT5ForConditionalGeneration,
)

VOCABULARY = 53
# No token ends a sequence.
IDS = {"vocab_size": VOCABULARY, "eos_token_id": None}


def greedy(model, prompt, forced):
    """The tokens that `generate` appends to the start with a cache, in float64."""
    with double_precision(), torch.no_grad():
        made = model.generate(
            prompt, attention_mask=torch.ones_like(prompt), do_sample=False, max_new_tokens=GREEDY_TOKENS,
            min_new_tokens=GREEDY_TOKENS, return_dict_in_generate=True, output_logits=True, forced_bos_token_id=forced,
        )
    best = torch.stack(made.logits).topk(2).values
    return made.sequences[0, 1:].tolist(), (best[..., 0] - best[..., 1]).min().item()


def pair(name, kind, config, pad, side="right", forced=None, **options):
    random, inputs = batch(name, VOCABULARY, pad, config.decoder_start_token_id, side)

    def note(model):
        random = generator(f"{name} greedy")
        # Another prompt where two tokens are so near that rounding may choose between them.
        while True:
            prompt = torch.randint(3, VOCABULARY, (1, 5), generator=random)
            tokens, margin = greedy(model, prompt, forced)
            if margin > 1e-3:
                made = {} if forced is None else {"forced": forced}
                return {"greedy": {"prompt": prompt[0].tolist(), **made, "tokens": tokens}}

    record(name, kind, config, inputs, TARGETS, random=random, note=note, **options)


t5 = dict(
    d_model=18, d_kv=4, d_ff=28, num_layers=2, num_heads=3, relative_attention_num_buckets=8,
    relative_attention_max_distance=12, dropout_rate=0.0, **IDS,
)
pair("mt5", MT5ForConditionalGeneration, MT5Config(num_decoder_layers=1, **t5), 0, init=small_queries)
pair("umt5", UMT5ForConditionalGeneration, UMT5Config(**t5), 0, "left", init=small_queries)

bart = dict(
    d_model=18, encoder_layers=2, decoder_layers=1, encoder_attention_heads=3, decoder_attention_heads=3, encoder_ffn_dim=28,
    decoder_ffn_dim=20, max_position_embeddings=48, dropout=0.0, forced_eos_token_id=None, **IDS,
)
pair(
    "mbart", MBartForConditionalGeneration, MBartConfig(decoder_start_token_id=2, scale_embedding=True, **bart), 1, "left",
    forced=51,
)


def exact_sines(model):
    """The table in the precision of the model: its own is rounded to single precision."""
    for part in (model.model.encoder, model.model.decoder):
        table = part.embed_positions.weight
        count, dim = table.shape
        angles = torch.arange(count, dtype=torch.float64)[:, None] * 10000.0 ** (
            -torch.arange(0, dim, 2, dtype=torch.float64) / dim
        )
        with torch.no_grad():
            table.copy_(torch.cat([angles.sin(), angles.cos()], 1))


pair(
    "pegasus", PegasusForConditionalGeneration, PegasusConfig(activation_function="relu", scale_embedding=True, **bart), 0,
    change=exact_sines,
)
# Padding that is not the first id, on the left: positions count from behind its id.
pair("m2m100", M2M100ForConditionalGeneration, M2M100Config(pad_token_id=3, **bart), 3, "left", forced=50)
