"""Encoder-decoder families: the Transformer of 2017 (Marian), BART, T5."""

import torch
from golden import IGNORED, folder, record
from pairs import TARGETS, batch, small_queries, t5
from safetensors.torch import load_file
from transformers import (
    BartConfig, BartForConditionalGeneration, MarianConfig, MarianMTModel, T5Config, T5ForConditionalGeneration,
)

SMOOTHING = 0.1
SMOOTHED = TARGETS + f", with label smoothing {SMOOTHING}: (1 − ε) of it plus ε of the mean over the vocabulary"


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


for name, side, init, change, options in (
    ("transformer-2017", "right", without_bias, interleaved, {"position_layout": "interleaved"}),
    ("marian", "left", None, halves, {}),
):
    random, inputs = batch(name, 97, 96, 96, side)
    # The start token is the padding's id, but it is read.
    record(
        name, MarianMTModel, MarianConfig(**marian, **options), inputs,
        (SMOOTHED, smoothed),
        random=random, init=init, change=change,
    )

random, inputs = batch("bart", 101, 1, 2, "left")
bart = dict(
    vocab_size=101, d_model=20, encoder_layers=3, decoder_layers=2, encoder_attention_heads=5,
    decoder_attention_heads=5, encoder_ffn_dim=44, decoder_ffn_dim=52, max_position_embeddings=16,
    dropout=0.0, forced_eos_token_id=None,
)
record("bart", BartForConditionalGeneration, BartConfig(**bart), inputs, TARGETS, random=random)

random, inputs = batch("t5", 97, 0, 0, "right")
record("t5", T5ForConditionalGeneration, T5Config(**t5), inputs, TARGETS, random=random, init=small_queries)


def untied(kind, *modules):
    """A class whose models have tables of their own in place of the shared one, as `from_pretrained` makes them."""

    class Untied(kind):
        def __init__(self, config):
            super().__init__(config)
            for path in modules:
                module = self.get_submodule(path)
                module.weight = torch.nn.Parameter(module.weight.detach().clone())

    Untied.__name__ = kind.__name__
    return Untied


def without_shared(model):
    """The shared table, which nothing reads where all others are apart."""
    model.model.shared.requires_grad_(False)


def assert_untied(name, kind, inputs):
    """transformers itself unties the file that was written."""
    model = kind.from_pretrained(folder / name, attn_implementation="eager").eval()
    expected = load_file(folder / name / "expected.safetensors")["outputs.logits"]
    with torch.no_grad():
        logits = model(**inputs).logits * inputs["decoder_attention_mask"][:, :, None]
    assert (logits - expected).abs().max() < 1e-4, name


small = dict(encoder_layers=1, decoder_layers=1, vocab_size=53)
random, inputs = batch("bart-untied", 53, 1, 2, "right")
record(
    "bart-untied", BartForConditionalGeneration, BartConfig(**{**bart, **small, "tie_word_embeddings": False}), inputs,
    TARGETS, random=random, change=without_shared,
)
assert_untied("bart-untied", BartForConditionalGeneration, inputs)

random, inputs = batch("marian-untied", 53, 52, 52, "left")
tokens = dict(pad_token_id=52, decoder_start_token_id=52)
record(
    "marian-untied", untied(MarianMTModel, "model.decoder.embed_tokens"), MarianConfig(**{**marian, **small, **tokens}),
    inputs, (SMOOTHED, smoothed), random=random, change=halves,
)
assert_untied("marian-untied", MarianMTModel, inputs)

# The targets' ids are those of the smaller vocabulary.
random, inputs = batch("marian-two-vocabularies", 47, 46, 46, "right")
record(
    "marian-two-vocabularies", MarianMTModel, MarianConfig(**{
        **marian, **small, "decoder_vocab_size": 47, "pad_token_id": 46, "decoder_start_token_id": 46,
        "share_encoder_decoder_embeddings": False,
    }), inputs, (SMOOTHED, smoothed), random=random, change=halves,
)

random, inputs = batch("t5-untied", 53, 0, 0, "right")
record(
    "t5-untied", untied(T5ForConditionalGeneration, "encoder.embed_tokens", "lm_head"),
    T5Config(**{**t5, "vocab_size": 53, "num_layers": 1, "num_decoder_layers": 1}), inputs, TARGETS, random=random,
    init=small_queries,
)
assert_untied("t5-untied", T5ForConditionalGeneration, inputs)
