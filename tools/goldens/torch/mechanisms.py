"""Whole attention layers: outputs and every gradient, of PyTorch's module, of Hugging Face's LLaMA, BLOOM and T5, and of the papers' formulas."""

import math

import torch
import torch.nn.functional as F
from golden import random, seeded, values, write
from transformers import BloomConfig, LlamaConfig, T5Config
from transformers.models.bloom.modeling_bloom import BloomAttention, build_alibi_tensor
from transformers.models.deberta_v2.modeling_deberta_v2 import make_log_bucket_position
from transformers.models.llama.modeling_llama import LlamaAttention, LlamaRotaryEmbedding
from transformers.models.t5.modeling_t5 import T5Attention

B, T = 2, 5
hidden = torch.ones(T, T, dtype=torch.bool).triu(1)
causal = torch.zeros(T, T).masked_fill(hidden, -torch.inf)[None, None]


def shaped(tensor):
    return {"shape": list(tensor.shape), "data": values(tensor)}


def case(name, run, inputs, params, seed, change=None):
    """`params` by our paths; `change` maps a weight or its gradient to how ours lies in memory."""
    change = change or {}
    leaves = {**inputs, **params}
    for leaf in leaves.values():
        leaf.requires_grad_()
    y = run()
    dy = random(seeded(seed + 100), *y.shape)
    y.backward(dy)
    ours = lambda path, x: shaped(change.get(path, lambda x: x)(x.detach()))
    return {
        "name": name,
        "inputs": {name: shaped(x) for name, x in inputs.items()},
        "params": {path: ours(path, p) for path, p in params.items()},
        "dy": values(dy),
        "y": values(y),
        "gradients": {name: ours(name, x.grad) for name, x in leaves.items()},
    }


def filled(module, seed):
    g = seeded(seed)
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(random(g, *p.shape, scale=0.5))
    return module.double().eval()


def linear(prefix, module):
    found = {f"{prefix}.weight": module.weight}
    return found | ({f"{prefix}.bias": module.bias} if module.bias is not None else {})


def torch_self(seed):
    module = filled(torch.nn.MultiheadAttention(12, 3, batch_first=True), seed)
    x = random(seeded(seed + 1), B, T, 12)
    params = {
        "qkv.weight": module.in_proj_weight, "qkv.bias": module.in_proj_bias,
        **linear("outProj", module.out_proj),
    }
    run = lambda: module(x, x, x, attn_mask=hidden, need_weights=False)[0]
    return case("MultiheadAttention", run, {"x": x}, params, seed)


def torch_cross(seed):
    module = filled(torch.nn.MultiheadAttention(12, 3, kdim=5, vdim=5, batch_first=True), seed)
    g = seeded(seed + 1)
    x, encoded = random(g, B, T, 12), random(g, B, 4, 5)
    padded = torch.tensor([[False, False, True, True], [False, False, False, True]])
    biases = module.in_proj_bias.detach().clone()
    names = ("q", "k", "v")
    # Leaves of our own: the module keeps one bias of three.
    parts = {f"{n}Proj.bias": b.clone().requires_grad_() for n, b in zip(names, biases.chunk(3))}
    weights = {f"{n}Proj.weight": getattr(module, f"{n}_proj_weight") for n in names}

    def run():
        return F.multi_head_attention_forward(
            x.transpose(0, 1), encoded.transpose(0, 1), encoded.transpose(0, 1), 12, 3, None,
            torch.cat(list(parts.values())), None, None, False, 0.0, module.out_proj.weight,
            module.out_proj.bias, key_padding_mask=padded, need_weights=False,
            use_separate_proj_weight=True, q_proj_weight=module.q_proj_weight,
            k_proj_weight=module.k_proj_weight, v_proj_weight=module.v_proj_weight,
        )[0].transpose(0, 1)

    params = {**weights, **parts, **linear("outProj", module.out_proj)}
    return case("MultiheadAttention, cross, padded", run, {"x": x, "encoded": encoded}, params, seed)


def llama(seed):
    config = LlamaConfig(
        hidden_size=16, num_attention_heads=4, num_key_value_heads=2, head_dim=6,
        rope_parameters={"rope_type": "default", "rope_theta": 500.0}, attention_bias=False,
    )
    config._attn_implementation = "eager"
    module = filled(LlamaAttention(config, 0), seed)
    x = random(seeded(seed + 1), B, T, 16)
    rope = LlamaRotaryEmbedding(config)
    # In float64, where Hugging Face's is made in float32.
    angles = torch.arange(T)[:, None] / 500.0 ** (torch.arange(0, 6, 2).double() / 6)
    both = torch.cat((angles, angles), -1)[None]
    assert torch.allclose(both.cos().float(), rope(x.float(), torch.arange(T)[None])[0], atol=1e-5)
    params = {}
    for ours, theirs in (("qProj", "q_proj"), ("kProj", "k_proj"), ("vProj", "v_proj"), ("outProj", "o_proj")):
        params |= linear(ours, getattr(module, theirs))
    run = lambda: module(x, (both.cos(), both.sin()), causal)[0]
    return case("LlamaAttention", run, {"x": x}, params, seed)


def bloom(heads, seed):
    dim = 2 * heads
    module = filled(BloomAttention(BloomConfig(hidden_size=dim, n_head=heads), 0), seed)
    x = random(seeded(seed + 1), B, T, dim)
    alibi = build_alibi_tensor(torch.ones(B, T), heads, torch.float64)
    residual = torch.zeros(B, T, dim)

    ordered = lambda p: p.reshape(heads, 3, 2, *p.shape[1:]).transpose(0, 1).reshape(p.shape)
    params = {**linear("qkv", module.query_key_value), **linear("outProj", module.dense)}
    change = {"qkv.weight": ordered, "qkv.bias": ordered}
    run = lambda: module(x, residual, alibi, causal)[0]
    return case(f"BloomAttention, {heads} heads", run, {"x": x}, params, seed, change)


def t5(bidirectional, seed):
    config = T5Config(
        d_model=10, d_kv=4, num_heads=3, relative_attention_num_buckets=8,
        relative_attention_max_distance=6, is_decoder=not bidirectional,
    )
    config._attn_implementation = "eager"
    module = filled(T5Attention(config, has_relative_attention_bias=True, layer_idx=0), seed)
    x = random(seeded(seed + 1), B, T, 10)
    params = {}
    for ours, theirs in (("qProj", "q"), ("kProj", "k"), ("vProj", "v"), ("outProj", "o")):
        params |= linear(ours, getattr(module, theirs))
    params["position.weight"] = module.relative_attention_bias.weight
    run = lambda: module(x, mask=None if bidirectional else causal)[0]
    return case(f"T5Attention, {'bidirectional' if bidirectional else 'causal'}", run, {"x": x}, params, seed)


def formula(name, dim, heads, seed, extra, scores, mask=causal, values_term=None, memory=0):
    """softmax(scores) V of heads, written from the paper; weights lie [in, out]."""
    g = seeded(seed)
    width = dim // heads
    x = random(g, B, T, dim)
    names = ("qProj.weight", "kProj.weight", "vProj.weight", "outProj.weight")
    params = {n: random(g, dim, dim, scale=0.5) for n in names}
    params |= {n: random(g, *shape, scale=0.5) for n, shape in extra.items()}
    past = random(g, B, memory, dim)

    def run():
        split = lambda y: y.reshape(B, -1, heads, width).transpose(1, 2)
        source = torch.cat((past, x), 1)
        q, k, v = split(x @ params[names[0]]), split(source @ params[names[1]]), split(source @ params[names[2]])
        shown = F.pad(mask, (memory, 0)) if mask is not None else 0
        weights = torch.softmax(scores(q, k, params) + shown, -1)
        y = weights @ v
        if values_term:
            y = y + values_term(weights, params)
        return y.transpose(1, 2).reshape(B, T, dim) @ params[names[3]]

    inputs = {"x": x, **({"memory": past} if memory else {})}
    return case(name, run, inputs, params, seed)


def clipped(keys, clip, offset=0):
    place = torch.arange(T)[:, None] + offset
    return (torch.arange(keys)[None] - place).clamp(-clip, clip) + clip


def shaw_scores(q, k, p):
    near = p["position.keys"][clipped(T, 2)]
    return (q @ k.transpose(-1, -2) + torch.einsum("bhid,ijd->bhij", q, near)) / math.sqrt(q.shape[-1])


def shaw_values(weights, p):
    return torch.einsum("bhij,ijd->bhid", weights, p["position.values"][clipped(T, 2)])


def transformer_xl(q, k, p):
    heads, width = q.shape[1], q.shape[-1]
    dim, keys = p["position.R.weight"].shape[0], k.shape[2]
    distance = (torch.arange(T)[:, None] + keys - T - torch.arange(keys)[None]).double()
    angles = distance[..., None] / 10000 ** (torch.arange(0, dim, 2).double() / dim)
    r = (torch.cat((angles.sin(), angles.cos()), -1) @ p["position.R.weight"]).reshape(T, keys, heads, width)
    u, v = (p[f"position.{n}"][None, :, None] for n in "uv")
    content = (q + u) @ k.transpose(-1, -2)
    return (content + torch.einsum("bhid,ijhd->bhij", q + v, r)) / math.sqrt(width)


def sums(q, k):
    return q[:, :, :, None] + k[:, :, None]


xl = {"position.u": (3, 4), "position.v": (3, 4), "position.R.weight": (12, 12)}
write("attention", "layers", "mechanisms", [
    torch_self(1),
    torch_cross(2),
    llama(3),
    bloom(4, 4),
    bloom(6, 5),
    t5(True, 6),
    t5(False, 7),
    formula("Shaw", 12, 3, 8, {"position.keys": (5, 4), "position.values": (5, 4)},
            shaw_scores, None, shaw_values),
    formula("Transformer-XL", 12, 3, 9, xl, transformer_xl),
    formula("Transformer-XL, memory", 12, 3, 10, xl, transformer_xl, memory=4),
    formula("dot product", 12, 3, 11, {}, lambda q, k, p: q @ k.transpose(-1, -2)),
    formula("general", 12, 3, 12, {"score.weight": (3, 4, 4)},
            lambda q, k, p: torch.einsum("bhid,hde,bhje->bhij", q, p["score.weight"], k)),
    formula("additive", 12, 3, 13, {"score.v": (3, 4)},
            lambda q, k, p: (torch.tanh(sums(q, k)) * p["score.v"][None, :, None, None]).sum(-1)),
    formula("plain additive, relu", 12, 3, 14, {"score.w": (3, 4)},
            lambda q, k, p: (torch.relu(sums(q, k)) * p["score.w"][None, :, None, None]).sum(-1)),
], "transformers")

buckets = []
for bidirectional, count, far in ((True, 32, 128), (False, 32, 128), (True, 8, 6), (False, 16, 77), (True, 32, 100)):
    distance = torch.arange(-far - 40, far + 41)
    buckets.append({
        "bidirectional": bidirectional, "buckets": count, "maxDistance": far,
        "first": -far - 40,
        "expected": T5Attention._relative_position_bucket(distance, bidirectional, count, far).tolist(),
    })
write("positions", "t5-buckets", "mechanisms", buckets, "transformers")
rows = []
for span, far in ((256, 512), (64, 128), (6, 16), (7, 20), (100, 1000)):
    # In single precision, as models compute them.
    distance = torch.arange(-far - 9, far + 10)
    bucket = make_log_bucket_position(distance, span, far).to(torch.long)
    expected = torch.clamp(bucket + span, 0, 2 * span - 1)
    rows.append({"span": span, "maxDistance": far, "first": -far - 9, "expected": expected.tolist()})
write("positions", "deberta-rows", "mechanisms", rows, "transformers")
slopes = []
for heads in (1, 2, 3, 6, 8, 12, 16, 71):
    alibi = build_alibi_tensor(torch.ones(1, 2), heads, torch.float64)
    slopes.append({"heads": heads, "slopes": values(alibi[:, 0, 1])})
write("positions", "alibi", "mechanisms", slopes, "transformers")
