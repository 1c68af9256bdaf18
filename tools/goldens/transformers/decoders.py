"""Decoder-only families: GPT-2, BLOOM, Falcon, LLaMA, Mistral, Qwen2."""

from golden import flatten, generator, record, token_ids
from language_models import IDS, language_model
from transformers import (
    BloomConfig, BloomForCausalLM, FalconConfig, FalconForCausalLM, GPT2Config,
    GPT2ForSequenceClassification, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM,
    MistralConfig, MistralForCausalLM, Qwen2Config, Qwen2ForCausalLM,
)
import torch

gpt2 = dict(
    n_positions=16, n_embd=20, n_layer=3, n_head=5, n_inner=44, embd_pdrop=0.0, resid_pdrop=0.0, attn_pdrop=0.0,
)
language_model("gpt2", GPT2LMHeadModel, GPT2Config(vocab_size=97, **gpt2, **IDS))
language_model(
    "gpt2-untied", GPT2LMHeadModel,
    GPT2Config(vocab_size=97, tie_word_embeddings=False, activation_function="relu", **gpt2, **IDS), "left",
)
random = generator("gpt2-sequence-classification")
ids, mask = token_ids(random, 97, (9, 5, 3), 9, "left", pad=0)
record(
    "gpt2-sequence-classification", GPT2ForSequenceClassification,
    GPT2Config(vocab_size=97, num_labels=3, **gpt2, **(IDS | {"pad_token_id": 0})),
    {"input_ids": ids, "attention_mask": mask, "labels": torch.tensor([2, 0, 1])},
    "mean cross entropy of logits [B, labels], taken at the last token that is not padding", random=random,
)

bloom = dict(vocab_size=103, hidden_size=20, n_layer=3, n_head=5, hidden_dropout=0.0, attention_dropout=0.0, **IDS)
language_model("bloom", BloomForCausalLM, BloomConfig(**bloom), "left")
language_model(
    "bloom-post-residual", BloomForCausalLM,
    BloomConfig(apply_residual_connection_post_layernorm=True, **(bloom | {"n_layer": 2})),
)

falcon = dict(vocab_size=101, num_hidden_layers=3, hidden_dropout=0.0, attention_dropout=0.0, **IDS)
language_model(
    "falcon-7b", FalconForCausalLM,
    FalconConfig(
        hidden_size=20, num_attention_heads=5, multi_query=True, parallel_attn=True, bias=False,
        new_decoder_architecture=False, alibi=False, **falcon,
    ),
)
language_model(
    "falcon-40b", FalconForCausalLM,
    FalconConfig(
        hidden_size=24, num_attention_heads=6, num_kv_heads=2, ffn_hidden_size=52, bias=False,
        new_decoder_architecture=True, alibi=False, **falcon,
    ),
    "left",
)


def without_maps(model, inputs):
    """5.23 adds ALiBi twice where attention maps are asked for or attention is `eager`, once where it runs by itself."""
    model.config._attn_implementation = "sdpa"
    outputs = model(**inputs, output_hidden_states=True, return_dict=True)
    return dict(flatten(outputs)), outputs.loss


language_model(
    "falcon-alibi", FalconForCausalLM,
    FalconConfig(
        hidden_size=20, num_attention_heads=5, multi_query=False, parallel_attn=False, bias=True,
        new_decoder_architecture=False, alibi=True, ffn_hidden_size=44, **falcon,
    ),
    "left", run=without_maps,
)

llama = dict(vocab_size=97, hidden_size=20, intermediate_size=44, num_hidden_layers=3, num_attention_heads=5, **IDS)
grouped = llama | {"hidden_size": 24, "num_attention_heads": 6, "num_key_value_heads": 2, "head_dim": 8}


def rope(kind, theta=10000.0, **options):
    return {"rope_parameters": {"rope_type": kind, "rope_theta": theta, **options}}


language_model("llama", LlamaForCausalLM, LlamaConfig(max_position_embeddings=32, **llama))
language_model(
    "llama-gqa-llama3", LlamaForCausalLM,
    LlamaConfig(
        max_position_embeddings=512,
        **rope("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64),
        **grouped,
    ),
    "left",
)
language_model(
    "llama-linear", LlamaForCausalLM,
    LlamaConfig(
        max_position_embeddings=32, attention_bias=True, mlp_bias=True, rms_norm_eps=1e-5,
        **rope("linear", factor=4.0), **llama,
    ),
)
language_model(
    "llama-dynamic", LlamaForCausalLM,
    LlamaConfig(max_position_embeddings=8, tie_word_embeddings=True, **rope("dynamic", factor=2.0), **grouped),
    length=13, lengths=(13, 7, 5),
)
language_model(
    "llama-yarn", LlamaForCausalLM,
    LlamaConfig(
        max_position_embeddings=256,
        **rope("yarn", 100.0, factor=4.0, beta_fast=4.0, beta_slow=1.0, original_max_position_embeddings=64),
        **grouped,
    ),
)
language_model(
    "mistral", MistralForCausalLM,
    MistralConfig(
        max_position_embeddings=32, sliding_window=5,
        **(grouped | {"num_key_value_heads": 3, "head_dim": 6}),
    ),
    "left", length=13, lengths=(13, 8, 3),
)
language_model(
    "qwen2", Qwen2ForCausalLM,
    Qwen2Config(
        max_position_embeddings=32, num_key_value_heads=1, tie_word_embeddings=True,
        **rope("default", 1000000.0), **llama,
    ),
)
