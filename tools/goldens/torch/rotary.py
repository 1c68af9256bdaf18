"""Rotary positions: frequencies of every scaling rule, and turned heads in both layouts, whole and partial."""

import torch
from golden import random, seeded, values, write
from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.models.gpt_neox.modeling_gpt_neox import apply_rotary_pos_emb as half_split
from transformers.models.gptj.modeling_gptj import apply_rotary_pos_emb as interleaved


def frequencies(dim, base, max_length, scaling, length=None):
    """What Hugging Face's rule gives; it computes in float32."""
    config = LlamaConfig(
        hidden_size=dim, num_attention_heads=1, head_dim=dim, max_position_embeddings=max_length,
        rope_parameters={"rope_theta": base, **scaling},
    )
    torch.set_default_dtype(torch.float32)
    inverse, factor = ROPE_INIT_FUNCTIONS[scaling["rope_type"]](config, "cpu", seq_len=length)
    torch.set_default_dtype(torch.float64)
    return {
        "dim": dim, "base": base, "maxLength": max_length, "scaling": scaling, "length": length or 0,
        "frequencies": values(inverse), "attentionFactor": float(factor),
    }


yarn = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 2048}
llama3 = {
    "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}
rules = [
    frequencies(64, 10000.0, 2048, {"rope_type": "linear", "factor": 2.5}),
    frequencies(32, 10000.0, 512, {"rope_type": "dynamic", "factor": 3.0}),
    frequencies(32, 10000.0, 512, {"rope_type": "dynamic", "factor": 3.0}, 100),
    frequencies(32, 10000.0, 512, {"rope_type": "dynamic", "factor": 3.0}, 1300),
    frequencies(128, 10000.0, 8192, yarn),
    frequencies(64, 500000.0, 8192, yarn | {"attention_factor": 0.75}),
    frequencies(64, 10000.0, 8192, yarn | {"beta_fast": 16.0, "beta_slow": 2.0, "truncate": False}),
    frequencies(64, 10000.0, 8192, yarn | {"factor": 40.0, "mscale": 0.707, "mscale_all_dim": 1.0}),
    frequencies(16, 10000.0, 64, {"rope_type": "yarn", "factor": 0.5}),
    frequencies(128, 500000.0, 131072, llama3),
    frequencies(64, 10000.0, 4096, llama3 | {"factor": 32.0, "original_max_position_embeddings": 1024}),
]
write("positions", "rotary-scaling", "rotary", rules, "transformers")


def turned(layout, width, rotary_dim, start, seed):
    g = seeded(seed)
    q, dq = random(g, 1, 2, 5, width), random(g, 1, 2, 5, width)
    q.requires_grad_()
    inverse = 1.0 / (100.0 ** (torch.arange(0, rotary_dim, 2).double() / rotary_dim))
    angles = torch.arange(start, start + 5).double()[:, None] * inverse
    head, rest = q[..., :rotary_dim], q[..., rotary_dim:]
    if layout == "half-split":
        both = torch.cat((angles, angles), dim=-1)[None]
        head, _ = half_split(head, head, both.cos(), both.sin())
    else:
        # This one expects [B, T, H, Dh], and repeats the angles itself.
        sin, cos = angles.sin()[None], angles.cos()[None]
        head = interleaved(head.transpose(1, 2), sin, cos).transpose(1, 2)
    y = torch.cat((head, rest), dim=-1)
    y.backward(dq)
    return {
        "layout": layout, "dim": width, "rotaryDim": rotary_dim, "base": 100.0, "start": start,
        "shape": list(q.shape), "q": values(q), "dy": values(dq), "y": values(y), "dq": values(q.grad),
    }


write("positions", "rotary", "rotary", [
    turned("half-split", 8, 8, 0, 1),
    turned("half-split", 10, 6, 5, 2),
    turned("interleaved", 8, 8, 0, 3),
    turned("interleaved", 11, 6, 300, 4),
], "transformers")
