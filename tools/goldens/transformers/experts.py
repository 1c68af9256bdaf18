"""Decoders with mixtures of experts: the loss counts the balance of the experts, as `output_router_logits` says."""

import language_models
from language_models import IDS, with_greedy
from transformers import MixtralConfig, MixtralForCausalLM, Qwen3MoeConfig, Qwen3MoeForCausalLM

language_models.NEXT += ", and the balance of the experts times `router_aux_loss_coef`"

small = dict(
    vocab_size=61, hidden_size=18, num_attention_heads=6, num_key_value_heads=2, max_position_embeddings=64,
    rope_parameters={"rope_type": "default", "rope_theta": 10000.0}, **IDS,
)
with_greedy(
    "mixtral", MixtralForCausalLM,
    MixtralConfig(
        intermediate_size=14, num_hidden_layers=2, head_dim=4, num_local_experts=3, num_experts_per_tok=2, output_router_logits=True,
        router_aux_loss_coef=0.3, **small,
    ),
    "left",
)
# Its first layer has no experts, and the weights of three of five are not divided by their sum.
with_greedy(
    "qwen3-moe", Qwen3MoeForCausalLM,
    Qwen3MoeConfig(
        intermediate_size=20, moe_intermediate_size=7, num_hidden_layers=2, head_dim=4, num_experts=5, num_experts_per_tok=3,
        mlp_only_layers=[0], output_router_logits=True, router_aux_loss_coef=0.2, tie_word_embeddings=True, **small,
    ),
)
with_greedy(
    "qwen3-moe-normalized", Qwen3MoeForCausalLM,
    Qwen3MoeConfig(
        intermediate_size=20, moe_intermediate_size=9, num_hidden_layers=2, head_dim=4, num_experts=6, num_experts_per_tok=2,
        decoder_sparse_step=2, output_router_logits=True, norm_topk_prob=True, attention_bias=True, use_sliding_window=True, sliding_window=5, **small,
    ),
    "left", length=13, lengths=(13, 8, 3),
)
