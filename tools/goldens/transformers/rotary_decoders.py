"""Decoders with rotary positions that came after LLaMA, and before it: small, and each with 40 greedy tokens."""

from language_models import IDS, with_greedy
from transformers import Qwen3Config, Qwen3ForCausalLM

small = dict(
    vocab_size=61, hidden_size=18, intermediate_size=28, num_hidden_layers=2, num_attention_heads=6, num_key_value_heads=2,
    max_position_embeddings=64, **IDS,
)


def rope(kind="default", theta=10000.0, **options):
    return {"rope_parameters": {"rope_type": kind, "rope_theta": theta, **options}}


with_greedy("qwen3", Qwen3ForCausalLM, Qwen3Config(head_dim=4, tie_word_embeddings=True, **rope(theta=1e6), **small))
with_greedy(
    "qwen3-windows", Qwen3ForCausalLM,
    Qwen3Config(
        head_dim=6, attention_bias=True, use_sliding_window=True, sliding_window=5, max_window_layers=1, **rope(), **small,
    ),
    "left", length=13, lengths=(13, 8, 3),
)
