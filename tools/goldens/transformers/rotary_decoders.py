"""Decoders with rotary positions that came after LLaMA, and before it: small, and each with 40 greedy tokens."""

from language_models import IDS, with_greedy
from transformers import (
    Gemma2Config, Gemma2ForCausalLM, Gemma3ForCausalLM, Gemma3TextConfig, GemmaConfig, GemmaForCausalLM, GPT2Config,
    GPT2LMHeadModel, GPTJConfig, GPTJForCausalLM, GPTNeoXConfig, GPTNeoXForCausalLM, GraniteConfig, GraniteForCausalLM,
    Olmo2Config, Olmo2ForCausalLM, Olmo3Config, Olmo3ForCausalLM, OPTConfig, OPTForCausalLM, Phi3Config, Phi3ForCausalLM,
    PhiConfig, PhiForCausalLM, Qwen3Config, Qwen3ForCausalLM, SmolLM3Config, SmolLM3ForCausalLM, StableLmConfig,
    StableLmForCausalLM, Starcoder2Config, Starcoder2ForCausalLM,
)

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

windowed = dict(side="left", length=13, lengths=(13, 8, 3))
pad = {"pad_token_id": 1}

with_greedy("gemma", GemmaForCausalLM, GemmaConfig(head_dim=4, **rope(), **(small | pad)))
with_greedy(
    "gemma2", Gemma2ForCausalLM,
    Gemma2Config(
        head_dim=4, query_pre_attn_scalar=6, sliding_window=5, attn_logit_softcapping=0.7, final_logit_softcapping=1.5,
        **rope(), **(small | pad),
    ),
    **windowed,
)
with_greedy(
    "gemma3-text", Gemma3ForCausalLM,
    Gemma3TextConfig(
        head_dim=6, query_pre_attn_scalar=9, sliding_window=5, layer_types=["sliding_attention", "full_attention"],
        rope_parameters={
            "full_attention": {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e6},
            "sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
        },
        final_logit_softcapping=2.0, **(small | pad),
    ),
    **windowed,
)

neox = {key: value for key, value in small.items() if key != "num_key_value_heads"} | {"num_attention_heads": 3}
with_greedy("gpt-neox", GPTNeoXForCausalLM, GPTNeoXConfig(**rope(partial_rotary_factor=0.34), **neox), "left")
with_greedy(
    "gpt-neox-sequential", GPTNeoXForCausalLM,
    GPTNeoXConfig(use_parallel_residual=False, attention_bias=False, **rope("linear", factor=2.0, partial_rotary_factor=1.0), **neox),
)

sizes = {key: value for key, value in small.items() if "heads" not in key}
with_greedy(
    "smollm3", SmolLM3ForCausalLM, SmolLM3Config(num_attention_heads=3, num_key_value_heads=1, no_rope_layer_interval=2, **rope(theta=2e6), **sizes),
)
with_greedy(
    "smollm3-windows", SmolLM3ForCausalLM,
    SmolLM3Config(
        num_attention_heads=3, num_key_value_heads=3, no_rope_layers=[0, 1], use_sliding_window=True, sliding_window=5,
        attention_bias=True, mlp_bias=True, **rope(theta=2e6), **sizes,
    ),
    **windowed,
)

short, long = [1.0, 1.3, 1.7], [2.0, 3.0, 4.0]
phi3 = small | {"hidden_size": 24, "num_attention_heads": 3, "num_key_value_heads": 1}
with_greedy("phi3", Phi3ForCausalLM, Phi3Config(**rope(), **(phi3 | {"hidden_size": 18})))
with_greedy(
    "phi3-longrope", Phi3ForCausalLM,
    Phi3Config(
        original_max_position_embeddings=64, tie_word_embeddings=True, sliding_window=7,
        **rope("longrope", short_factor=short, long_factor=long, partial_rotary_factor=0.75), **(phi3 | {"max_position_embeddings": 256}),
    ),
    "left", length=13, lengths=(13, 8, 3),
)
with_greedy(
    "phi3-long", Phi3ForCausalLM,
    Phi3Config(
        original_max_position_embeddings=4,
        **rope("longrope", short_factor=short, long_factor=long, partial_rotary_factor=0.75), **phi3,
    ),
)
with_greedy("phi", PhiForCausalLM, PhiConfig(**rope(partial_rotary_factor=0.67), **(small | {"num_attention_heads": 3, "num_key_value_heads": 1})), "left")
with_greedy(
    "phi-head-norms", PhiForCausalLM,
    PhiConfig(qk_layernorm=True, **rope(partial_rotary_factor=0.5), **(small | {"hidden_size": 24})),
)

olmo = small | {"hidden_size": 24}
with_greedy("olmo2", Olmo2ForCausalLM, Olmo2Config(**rope(theta=5e5), **olmo))
with_greedy(
    "olmo3", Olmo3ForCausalLM,
    Olmo3Config(
        sliding_window=5, layer_types=["sliding_attention", "full_attention"], attention_bias=True,
        rope_parameters={
            "full_attention": {
                "rope_type": "yarn", "factor": 4.0, "rope_theta": 100.0, "original_max_position_embeddings": 64,
                "beta_fast": 4.0, "beta_slow": 1.0,
            },
            "sliding_attention": {"rope_type": "default", "rope_theta": 100.0},
        },
        **(olmo | {"max_position_embeddings": 256}),
    ),
    **windowed,
)

opt = dict(
    vocab_size=61, hidden_size=18, ffn_dim=28, num_hidden_layers=2, num_attention_heads=3, max_position_embeddings=64,
    dropout=0.0, **(IDS | {"pad_token_id": 1}),
)
with_greedy("opt", OPTForCausalLM, OPTConfig(**opt), "left")
with_greedy("opt-post-norm", OPTForCausalLM, OPTConfig(do_layer_norm_before=False, enable_bias=False, tie_word_embeddings=False, **opt))

gptj = dict(vocab_size=61, n_embd=18, n_layer=2, n_head=3, n_positions=64, rotary_dim=4, **IDS)
with_greedy("gptj", GPTJForCausalLM, GPTJConfig(**gptj), "left")

stablelm = small | {"hidden_size": 24, "num_attention_heads": 3, "num_key_value_heads": 1}
with_greedy("stablelm", StableLmForCausalLM, StableLmConfig(use_qkv_bias=True, **rope(partial_rotary_factor=0.25), **stablelm), "left")
with_greedy("stablelm-parallel", StableLmForCausalLM, StableLmConfig(use_parallel_residual=True, **rope(partial_rotary_factor=0.5), **stablelm))

with_greedy(
    "starcoder2", Starcoder2ForCausalLM,
    Starcoder2Config(sliding_window=5, **rope(), **(small | {"hidden_size": 24})),
    **windowed,
)
with_greedy(
    "granite", GraniteForCausalLM,
    GraniteConfig(
        embedding_multiplier=3.0, attention_multiplier=0.4, residual_multiplier=0.6, logits_scaling=1.5,
        attention_bias=True, mlp_bias=True, **rope(), **(small | {"hidden_size": 24}),
    ),
)
with_greedy(
    "gpt2-by-depth", GPT2LMHeadModel,
    GPT2Config(
        vocab_size=61, n_positions=64, n_embd=18, n_layer=2, n_head=3, n_inner=28, scale_attn_by_inverse_layer_idx=True,
        reorder_and_upcast_attn=False, embd_pdrop=0.0, resid_pdrop=0.0, attn_pdrop=0.0, **IDS,
    ),
)
