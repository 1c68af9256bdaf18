"""What transformers reads from a `config.json`: every setting in every place and as null, and rotary frequencies."""

import json
import sys
from pathlib import Path

import transformers
from transformers import AutoConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding
import torch

RENAMED = {
    "gpt2": {"n_embd": "hidden_size", "n_positions": "max_position_embeddings", "n_head": "num_attention_heads", "n_layer": "num_hidden_layers"},
    "bloom": {"n_layer": "num_hidden_layers", "n_head": "num_attention_heads", "hidden_size": "n_embed"},
    "falcon": {"hidden_size": "n_embed"},
    "gptj": {"hidden_size": "n_embd", "max_position_embeddings": "n_positions", "num_attention_heads": "n_head", "num_hidden_layers": "n_layer"},
    "bart": {"encoder_attention_heads": "num_attention_heads", "d_model": "hidden_size", "encoder_layers": "num_hidden_layers"},
    "marian": {"encoder_attention_heads": "num_attention_heads", "d_model": "hidden_size", "encoder_layers": "num_hidden_layers"},
    "distilbert": {"hidden_size": "dim", "num_attention_heads": "n_heads", "num_hidden_layers": "n_layers"},
    "t5": {"d_model": "hidden_size", "num_heads": "num_attention_heads", "num_layers": "num_hidden_layers", "d_kv": "head_dim"},
}
RENAMED |= {"mixtral": {"num_local_experts": "num_experts"}, "qwen3_moe": {"num_experts": "num_local_experts"}} | {name: RENAMED["bart"] for name in ("mbart", "pegasus", "m2m_100", "whisper")} | {name: RENAMED["t5"] for name in ("mt5", "umt5")}
bert = dict(
    vocab_size=97, hidden_size=24, num_hidden_layers=3, num_attention_heads=3, intermediate_size=36, hidden_act="relu",
    hidden_dropout_prob=0.2, attention_probs_dropout_prob=0.3, max_position_embeddings=40, type_vocab_size=3,
    initializer_range=0.5, layer_norm_eps=0.25, pad_token_id=2, classifier_dropout=0.4, id2label={"0": "a", "1": "b", "2": "c"},
    num_labels=5,
)
bart = dict(
    vocab_size=97, d_model=48, encoder_layers=3, encoder_attention_heads=4, encoder_ffn_dim=36, decoder_layers=4,
    decoder_attention_heads=8, decoder_ffn_dim=44, activation_function="swish", dropout=0.2, attention_dropout=0.3,
    activation_dropout=0.4, max_position_embeddings=40, scale_embedding=True, init_std=0.5, pad_token_id=3,
    decoder_start_token_id=4,
)
llama = dict(
    vocab_size=97, hidden_size=64, intermediate_size=36, num_hidden_layers=3, num_attention_heads=64, num_key_value_heads=2,
    head_dim=10, hidden_act="gelu_pytorch_tanh", max_position_embeddings=40, initializer_range=0.5, rms_norm_eps=0.25,
    tie_word_embeddings=True, attention_dropout=0.3, pad_token_id=5, rope_theta=500.0,
)
decoder = dict(
    vocab_size=130000, hidden_size=512, intermediate_size=36, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2,
    hidden_act="relu", max_position_embeddings=40, initializer_range=0.5, tie_word_embeddings=True, attention_dropout=0.3,
    pad_token_id=5,
)
later = {key: value for key, value in decoder.items() if key != "hidden_act"} | dict(
    head_dim=10, hidden_activation="relu", rms_norm_eps=0.25, tie_word_embeddings=False, attention_bias=True,
    query_pre_attn_scalar=64, sliding_window=7, final_logit_softcapping=3.0,
)
t5 = dict(
    vocab_size=97, d_model=24, d_kv=10, d_ff=36, num_layers=3, num_decoder_layers=4, num_heads=3,
    relative_attention_num_buckets=16, relative_attention_max_distance=40, dropout_rate=0.2, layer_norm_epsilon=0.25,
    initializer_factor=0.5, feed_forward_proj="gated-silu", pad_token_id=3, decoder_start_token_id=4,
    tie_word_embeddings=False, scale_decoder_outputs=False, dense_act_fn="tanh", is_gated_act=True,
)
clip = dict(
    hidden_size=24, num_hidden_layers=3, num_attention_heads=4, intermediate_size=36, hidden_act="relu", attention_dropout=0.3,
    initializer_range=0.5, layer_norm_eps=0.25, projection_dim=10,
)
FAMILIES = {
    "gpt2": dict(
        vocab_size=97, n_positions=40, n_embd=24, n_layer=3, n_head=3, n_inner=36, activation_function="quick_gelu",
        embd_pdrop=0.2, resid_pdrop=0.3, attn_pdrop=0.4, layer_norm_epsilon=0.25, initializer_range=0.5,
        tie_word_embeddings=False, scale_attn_weights=False, pad_token_id=5, num_labels=5,
        scale_attn_by_inverse_layer_idx=True,
    ),
    "bloom": dict(
        vocab_size=97, hidden_size=48, n_layer=3, n_head=4, layer_norm_epsilon=0.25, initializer_range=0.5,
        apply_residual_connection_post_layernorm=True, hidden_dropout=0.2, attention_dropout=0.3, tie_word_embeddings=False,
    ),
    "falcon": dict(
        vocab_size=97, hidden_size=142, num_hidden_layers=3, num_kv_heads=71, num_ln_in_parallel_attn=1, layer_norm_epsilon=0.25,
        initializer_range=0.5, hidden_dropout=0.2, attention_dropout=0.3, alibi=True, new_decoder_architecture=True,
        multi_query=False, parallel_attn=False, bias=True, max_position_embeddings=40, ffn_hidden_size=36,
        activation="silu", tie_word_embeddings=False, rope_theta=500.0,
    ),
    "llama": llama | dict(attention_bias=True, mlp_bias=True),
    "mistral": llama | dict(sliding_window=7),
    "qwen2": llama | dict(sliding_window=7, use_sliding_window=True, max_window_layers=2),
    "qwen3": decoder | dict(
        num_attention_heads=64, head_dim=10, rms_norm_eps=0.25, attention_bias=True, sliding_window=7, use_sliding_window=True, max_window_layers=2,
        rope_theta=500.0,
    ),
    "mixtral": decoder | dict(
        num_attention_heads=64, head_dim=10, rms_norm_eps=0.25, sliding_window=7, num_experts_per_tok=3, num_local_experts=5, output_router_logits=True,
        router_aux_loss_coef=0.5, rope_theta=500.0,
    ),
    "qwen3_moe": decoder | dict(
        num_attention_heads=64, head_dim=10, rms_norm_eps=0.25, attention_bias=True, sliding_window=7, use_sliding_window=True,
        decoder_sparse_step=2, moe_intermediate_size=20, num_experts_per_tok=3, num_experts=9, norm_topk_prob=True,
        output_router_logits=True, router_aux_loss_coef=0.5, mlp_only_layers=[1], rope_theta=500.0,
    ),
    "gemma": decoder | dict(num_attention_heads=64, head_dim=10, rms_norm_eps=0.25, tie_word_embeddings=False, attention_bias=True, rope_theta=500.0),
    "gemma2": later | dict(attn_logit_softcapping=2.0, rope_theta=500.0),
    "gemma3_text": later,
    "smollm3": decoder | dict(
        rms_norm_eps=0.25, tie_word_embeddings=False, attention_bias=True, mlp_bias=True, no_rope_layer_interval=3,
        use_sliding_window=True, rope_theta=500.0,
    ),
    "granite": decoder | dict(
        rms_norm_eps=0.25, attention_bias=True, mlp_bias=True, embedding_multiplier=2.0, attention_multiplier=3.0,
        residual_multiplier=4.0, logits_scaling=5.0, rope_theta=500.0,
    ),
    "olmo2": decoder | dict(rms_norm_eps=0.25, attention_bias=True, rope_theta=500.0),
    "olmo3": decoder | dict(rms_norm_eps=0.25, attention_bias=True, sliding_window=7),
    "stablelm": decoder | dict(num_attention_heads=64, layer_norm_eps=0.25, use_qkv_bias=True, use_parallel_residual=True, rope_theta=500.0),
    "starcoder2": decoder | dict(
        hidden_size=480,
        norm_epsilon=0.25, use_bias=False, residual_dropout=0.2, embedding_dropout=0.4, sliding_window=7,
        tie_word_embeddings=False, rope_theta=500.0,
    ),
    "phi": decoder | dict(layer_norm_eps=0.25, qk_layernorm=True, resid_pdrop=0.2, embd_pdrop=0.4, rope_theta=500.0),
    "phi3": decoder | dict(rms_norm_eps=0.25, sliding_window=7, resid_pdrop=0.2, embd_pdrop=0.4, rope_theta=500.0),
    "gpt_neox": {k: v for k, v in decoder.items() if k not in ("num_key_value_heads", "pad_token_id")} | dict(
        layer_norm_eps=0.25, hidden_dropout=0.2, use_parallel_residual=False, attention_bias=False,
    ),
    "gptj": dict(
        vocab_size=97, max_position_embeddings=40, hidden_size=1024, num_hidden_layers=3, num_attention_heads=4, rotary_dim=32, n_inner=36,
        activation_function="relu", resid_pdrop=0.2, embd_pdrop=0.3, attn_pdrop=0.4, layer_norm_epsilon=0.25,
        initializer_range=0.5, tie_word_embeddings=True,
    ),
    "opt": dict(
        vocab_size=97, hidden_size=24, num_hidden_layers=3, ffn_dim=36, max_position_embeddings=40,
        do_layer_norm_before=False, dropout=0.2, attention_dropout=0.3, num_attention_heads=4,
        activation_function="gelu", init_std=0.5, enable_bias=False, tie_word_embeddings=False, pad_token_id=5,
    ),
    "bert": bert,
    "roberta": bert,
    "xlm-roberta": bert,
    "camembert": bert,
    "distilbert": dict(
        vocab_size=97, max_position_embeddings=40, num_hidden_layers=3, num_attention_heads=4, hidden_size=1536, hidden_dim=36, dropout=0.2,
        attention_dropout=0.3, activation="relu", initializer_range=0.5, qa_dropout=0.4, seq_classif_dropout=0.6, pad_token_id=2,
        id2label={"0": "a", "1": "b", "2": "c"}, num_labels=5,
    ),
    "electra": bert | dict(embedding_size=64, hidden_size=512, num_attention_heads=8),
    "albert": {k: v for k, v in bert.items() if k != "classifier_dropout"} | dict(
        embedding_size=64, hidden_size=8192, num_attention_heads=32, num_hidden_groups=2, inner_group_num=2, num_hidden_layers=4,
        classifier_dropout_prob=0.4,
    ),
    "mpnet": {k: v for k, v in bert.items() if k not in ("classifier_dropout", "type_vocab_size", "pad_token_id")},
    "modernbert": dict(
        vocab_size=60000, hidden_size=480, intermediate_size=36, num_hidden_layers=3, num_attention_heads=24, hidden_activation="relu",
        max_position_embeddings=40, initializer_range=0.5, norm_eps=0.25, norm_bias=True, pad_token_id=5, attention_bias=True,
        attention_dropout=0.3, local_attention=6, embedding_dropout=0.2, mlp_bias=True, mlp_dropout=0.4,
        classifier_pooling="mean", classifier_dropout=0.6, classifier_bias=True, classifier_activation="tanh",
        tie_word_embeddings=False, id2label={"0": "a", "1": "b", "2": "c"}, num_labels=5,
    ),
    "deberta-v2": {k: v for k, v in bert.items() if k != "classifier_dropout"} | dict(
        hidden_size=96, num_attention_heads=32, relative_attention=False, max_relative_positions=7, position_biased_input=False,
        pooler_dropout=0.4, pooler_hidden_act="tanh", legacy=False,
    ),
    "vit": {
        key: value for key, value in bert.items() if key not in (
            "vocab_size", "max_position_embeddings", "type_vocab_size", "pad_token_id", "classifier_dropout",
        )
    } | dict(num_attention_heads=2, image_size=[32, 48], patch_size=8, num_channels=1, qkv_bias=False),
    "clip_vision_model": clip | dict(num_attention_heads=2, image_size=64, patch_size=8, num_channels=1),
    "clip_text_model": clip | dict(vocab_size=50000, max_position_embeddings=40, eos_token_id=7),
    "bart": bart,
    "marian": bart | dict(decoder_vocab_size=58101),
    "mbart": bart,
    "pegasus": bart,
    "m2m_100": bart | dict(encoder_layerdrop=0.5, decoder_layerdrop=0.4, scale_embedding=False),
    "whisper": {k: v for k, v in bart.items() if k not in ("max_position_embeddings", "scale_embedding")} | dict(
        vocab_size=60000, num_mel_bins=12, max_source_positions=40, max_target_positions=30, tie_word_embeddings=False,
    ),
    "t5": t5,
    "mt5": {key: value for key, value in t5.items() if key != "scale_decoder_outputs"},
    "umt5": {key: value for key, value in t5.items() if key != "scale_decoder_outputs"},
}
# What a null means there is ours to say: transformers refuses it, or fails later.
DERIVED = {"num_labels", "id2label", "rope_theta"}


def settings_of(family, given):
    """The settings by the names of the table, as transformers understands them; None where it refuses them."""
    try:
        config = AutoConfig.for_model(family, **given)
    except Exception:
        return None
    names = [k for k in FAMILIES[family] if k not in DERIVED]
    read = {k: getattr(config, k, None) for k in names}
    if "num_labels" in FAMILIES[family]:
        read["num_labels"] = config.num_labels
    if "rope_theta" in FAMILIES[family]:
        read["rope_theta"] = config.rope_parameters.get("rope_theta")
    return read


cases = []
for family, keys in FAMILIES.items():
    default = settings_of(family, {})
    cases.append({"family": family, "given": {}, "expected": default})
    given = [{k: v} for k, v in keys.items()] + [{k: None} for k in keys]
    # T5's decoder is as deep as `num_layers` says, which transformers reads before the other name.
    given += [{RENAMED[family][k]: v} for k, v in keys.items() if k in RENAMED.get(family, {}) and not (family.endswith("t5") and k == "num_layers")]
    for one in given:
        read = settings_of(family, one)
        changed = None if read is None else {k: v for k, v in read.items() if v != default[k]}
        cases.append({"family": family, "given": one, "expected": changed})

short, long = [1.0, 1.5, 2.0, 2.5], [3.0, 4.0, 5.0, 6.0]
ROPES = [
    {}, {"rope_theta": 500.0}, {"rope_scaling": None, "rope_parameters": None}, {"rope_scaling": {}},
    {"rope_parameters": {"rope_type": "default", "rope_theta": 500.0}}, {"rope_theta": 7.0, "rope_parameters": {"rope_type": "default", "rope_theta": 500.0}},
    {"rope_theta": 500.0, "rope_parameters": {"rope_type": "linear", "factor": 2.0}},
    {"rope_scaling": {"type": "linear", "factor": 4.0}}, {"rope_scaling": {"rope_type": "linear", "type": "dynamic", "factor": 4.0}},
    {"rope_scaling": {"type": "linear", "factor": 4.0}, "rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 7.0}},
    {"rope_scaling": {"type": "dynamic", "factor": 4.0}}, {"rope_scaling": {"type": "dynamic", "factor": 4.0, "original_max_position_embeddings": 8}},
    {"rope_scaling": {"type": "yarn", "factor": 4.0}}, {"rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 8}},
    {"rope_scaling": {"type": "yarn", "factor": None, "original_max_position_embeddings": 8}},
    {"rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 4}, "original_max_position_embeddings": 8},
    {"rope_scaling": {"type": "yarn", "factor": 4.0, "attention_factor": None, "beta_fast": None, "beta_slow": 2.0, "mscale": 2.0, "mscale_all_dim": 0.5, "truncate": False}},
    {"rope_scaling": {"type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8}},
    {"rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}, "original_max_position_embeddings": 8},
    {"rope_scaling": {"type": "longrope", "short_factor": short, "long_factor": long}, "original_max_position_embeddings": 8},
    {"rope_scaling": {"type": "longrope", "short_factor": short, "long_factor": long, "factor": 4.0, "original_max_position_embeddings": 8}},
    {"rope_scaling": {"type": "longrope", "short_factor": short, "long_factor": long, "attention_factor": 1.25, "original_max_position_embeddings": 8}},
]
ropes = []
for given in ROPES:
    config = AutoConfig.for_model("llama", hidden_size=16, num_attention_heads=2, max_position_embeddings=16, **json.loads(json.dumps(given)))
    frequencies = []
    for length in (6, 16, 40):
        rotary = LlamaRotaryEmbedding(config)
        rotary(torch.zeros(1), torch.arange(length)[None])
        frequencies.append({"length": length, "values": rotary.inv_freq.tolist(), "attentionFactor": float(rotary.attention_scaling)})
    ropes.append({"given": given, "frequencies": frequencies})

note = {"source": "transformers", "version": transformers.__version__, "script": "tools/goldens/transformers/settings.py"}
path = Path(sys.argv[1])
lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
rope_lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in ropes)
path.write_text(json.dumps(note)[:-1] + ',\n"cases": [\n' + lines + '\n],\n"ropes": [\n' + rope_lines + "\n]}\n")
print(len(cases), len(ropes), path.stat().st_size)
