"""Whisper: an encoder of log-mel features behind two convolutions, and a decoder that writes."""

import torch
from golden import IGNORED, double_precision, generator, record
from language_models import GREEDY_TOKENS
from pairs import TARGETS
from transformers import WhisperConfig, WhisperForConditionalGeneration

VOCABULARY = 53
PAD, START = 1, 2


def exact_sines(model):
    """The encoder's table in the precision of the model: its own is rounded to single precision."""
    table = model.model.encoder.embed_positions.weight
    count, dim = table.shape
    half = torch.arange(dim // 2, dtype=torch.float64)
    angles = torch.arange(count, dtype=torch.float64)[:, None] * 10000.0 ** (-half / (dim // 2 - 1))
    with torch.no_grad():
        table.copy_(torch.cat([angles.sin(), angles.cos()], 1))


def batch(name, config):
    """Features of three sounds, targets of 7, 5 and 2 tokens."""
    random = generator(name)
    # The second convolution has a stride of two.
    features = torch.randn((3, config.num_mel_bins, 2 * config.max_source_positions), generator=random)
    labels = torch.randint(3, VOCABULARY, (3, 7), generator=random)
    mask = torch.zeros_like(labels)
    for row, n in enumerate((7, 5, 2)):
        mask[row, :n] = 1
    return random, {
        "input_features": features,
        "decoder_input_ids": torch.cat([torch.full((3, 1), START), labels[:, :-1]], 1).where(mask == 1, PAD),
        "decoder_attention_mask": mask,
        "labels": labels.masked_fill(mask == 0, IGNORED),
    }


def run(model, inputs):
    from golden import forward

    return forward(model, {**inputs, "input_features": inputs["input_features"].to(model.dtype)})


def greedy(model, features):
    """The tokens that `generate` appends to the start with a cache, in float64."""
    with double_precision(), torch.no_grad():
        # The mixin of Whisper would ask for languages and cut what it takes for times.
        made = super(type(model).__mro__[1], model).generate(
            features.double(), do_sample=False, max_new_tokens=GREEDY_TOKENS, min_new_tokens=GREEDY_TOKENS,
            return_dict_in_generate=True, output_logits=True,
        )
    best = torch.stack(made.logits).topk(2).values
    return made.sequences[:, 1:], (best[..., 0] - best[..., 1]).amin(0)


def speech(name, **options):
    config = WhisperConfig(
        d_model=18, encoder_layers=2, decoder_layers=1, encoder_ffn_dim=28, decoder_ffn_dim=20, max_target_positions=48, dropout=0.0,
        vocab_size=VOCABULARY, pad_token_id=PAD, bos_token_id=0, eos_token_id=None, decoder_start_token_id=START,
        begin_suppress_tokens=None, **options,
    )
    random, inputs = batch(name, config)

    def note(model):
        tokens, margins = greedy(model, inputs["input_features"])
        # A sound where no two best tokens are so near that rounding may choose between them.
        row = margins.argmax().item()
        assert margins[row] > 1e-3, (name, margins)
        return {"greedy": {"row": row, "tokens": tokens[row].tolist()}}

    record(
        name, WhisperForConditionalGeneration, config, inputs, TARGETS, random=random, change=exact_sines, run=run, note=note,
    )


speech("whisper", num_mel_bins=5, max_source_positions=7, encoder_attention_heads=3, decoder_attention_heads=3)
speech(
    "whisper-untied", num_mel_bins=3, max_source_positions=4, encoder_attention_heads=2, decoder_attention_heads=3,
    activation_function="relu", tie_word_embeddings=False,
)
