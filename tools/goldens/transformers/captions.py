"""Captions of pictures: ViT and GPT-2 with cross-attention, of two widths and of one; GPT-2 that looks at states of the caller's."""

import torch
from golden import IGNORED, double_precision, flatten, generator, next_token_labels, record, token_ids
from language_models import GREEDY_TOKENS
from pairs import TARGETS
from transformers import (
    GPT2Config, GPT2LMHeadModel, ViTConfig, VisionEncoderDecoderConfig, VisionEncoderDecoderModel,
)

VOCABULARY, START = 53, 2
vit = dict(
    hidden_size=18, num_hidden_layers=2, num_attention_heads=3, intermediate_size=28, image_size=[6, 9], patch_size=3,
)
gpt2 = dict(
    vocab_size=VOCABULARY, n_positions=48, n_embd=20, n_layer=2, n_head=5, n_inner=28, add_cross_attention=True, bos_token_id=START,
    eos_token_id=None, embd_pdrop=0.0, resid_pdrop=0.0, attn_pdrop=0.0,
)
FLOATS = ("pixel_values", "encoder_hidden_states")


def run(model, inputs):
    dtype = next(model.parameters()).dtype
    call = {k: v.to(dtype) if k in FLOATS else v for k, v in inputs.items()}
    outputs = model(**call, output_hidden_states=True, output_attentions=True, return_dict=True)
    tensors = dict(flatten(outputs))
    if hasattr(model, "enc_to_dec_proj"):
        # The decoder looks at what the projection makes of it; it stands among the hidden states besides.
        del tensors["encoder_last_hidden_state"]
    return tensors, outputs.loss


def greedy(inputs, call):
    """40 greedy tokens of `generate`, in float64, for a row whose two best tokens are never so near that rounding may choose."""

    def note(model):
        for row in range(len(next(iter(inputs.values())))):
            with double_precision(), torch.no_grad():
                made = model.generate(
                    **call(model, row), do_sample=False, max_new_tokens=GREEDY_TOKENS, min_new_tokens=GREEDY_TOKENS,
                    return_dict_in_generate=True, output_logits=True, pad_token_id=0,
                )
            best = torch.stack(made.logits).topk(2).values
            if (best[..., 0] - best[..., 1]).min() > 1e-3:
                return {"greedy": {"row": row, "tokens": made.sequences[0, 1:].tolist()}}
        raise AssertionError("every row has two tokens that are near to each other")

    return note


def without_pooler(model):
    """ViT's pooler, which no caption depends on."""
    model.encoder.pooler.requires_grad_(False)


def captions(name, encoder, decoder):
    random = generator(name)
    labels, mask = token_ids(random, VOCABULARY, (7, 5, 2), 7, "right", 0)
    inputs = {
        "pixel_values": torch.randn((3, 3, 6, 9), generator=random),
        "decoder_input_ids": torch.cat([torch.full((3, 1), START), labels[:, :-1]], 1),
        "decoder_attention_mask": mask,
        "labels": labels.masked_fill(mask == 0, IGNORED),
    }
    config = VisionEncoderDecoderConfig(
        encoder=ViTConfig(**encoder).to_dict(), decoder=GPT2Config(**decoder, is_decoder=True).to_dict(),
        decoder_start_token_id=START, pad_token_id=0,
    )

    def call(model, row):
        return {"pixel_values": inputs["pixel_values"][row : row + 1].double(), "decoder_start_token_id": START}

    record(
        name, VisionEncoderDecoderModel, config, inputs, TARGETS, random=random, change=without_pooler, run=run,
        note=greedy(inputs, call),
    )


captions("vision-encoder-decoder", vit, gpt2)
captions(
    "vision-encoder-decoder-one-width", {**vit, "num_hidden_layers": 1, "hidden_act": "relu"},
    {**gpt2, "n_embd": 18, "n_head": 2, "tie_word_embeddings": False, "scale_attn_by_inverse_layer_idx": True},
)

name = "gpt2-cross-attention"
random = generator(name)
ids, mask = token_ids(random, VOCABULARY, (7, 5, 2), 7, "right", None)
_, source_mask = token_ids(random, VOCABULARY, (4, 11, 7), 11, "left", None)
inputs = {
    "input_ids": ids,
    "attention_mask": mask,
    "encoder_hidden_states": torch.randn((3, 11, 20), generator=random),
    "encoder_attention_mask": source_mask,
    "labels": next_token_labels(random, VOCABULARY, mask),
}


def call(model, row):
    rows = slice(row, row + 1)
    return {
        "input_ids": torch.tensor([[START]]), "attention_mask": torch.ones((1, 1), dtype=torch.long),
        "encoder_hidden_states": inputs["encoder_hidden_states"][rows].double(),
        "encoder_attention_mask": source_mask[rows],
    }


record(
    name, GPT2LMHeadModel, GPT2Config(**gpt2), inputs,
    "mean over labels ≠ −100 of the cross entropy of logits[:, t] with labels[:, t + 1]", random=random, run=run,
    note=greedy(inputs, call),
)
