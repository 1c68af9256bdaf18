"""Scaled dot-product attention: output and the gradients of q, k and v for a random cotangent."""

import torch
import torch.nn.functional as F
from golden import random, seeded, values, write


def case(queries, keys, causal, seed):
    g = seeded(seed)
    q = random(g, 2, 3, queries, 7).requires_grad_()
    k = random(g, 2, 3, keys, 7).requires_grad_()
    v = random(g, 2, 3, keys, 7).requires_grad_()
    # The last query is aligned with the last key.
    mask = torch.ones(queries, keys, dtype=torch.bool).tril(keys - queries) if causal else None
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    dy = random(g, *y.shape)
    y.backward(dy)
    return {
        "causal": causal,
        "q": {"shape": list(q.shape), "data": values(q)},
        "k": {"shape": list(k.shape), "data": values(k)},
        "v": {"shape": list(v.shape), "data": values(v)},
        "dy": values(dy),
        "y": values(y),
        "dq": values(q.grad),
        "dk": values(k.grad),
        "dv": values(v.grad),
    }


sizes = [(5, 5), (5, 11), (1, 11)]
write("attention", "attention", "attention", [
    case(queries, keys, causal, seed)
    for causal in (False, True)
    for seed, (queries, keys) in enumerate(sizes)
])
