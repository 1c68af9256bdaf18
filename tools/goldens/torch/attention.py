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


def biased(bias_shape, seed):
    """A bias that is added to the scores, with its gradient; values are wider than keys, queries fewer."""
    g = seeded(seed)
    q = random(g, 2, 3, 5, 7).requires_grad_()
    k = random(g, 2, 3, 11, 7).requires_grad_()
    v = random(g, 2, 3, 11, 13).requires_grad_()
    bias = random(g, *bias_shape).requires_grad_()
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.expand(2, 3, 5, 11))
    dy = random(g, *y.shape)
    y.backward(dy)
    tensors = {"q": q, "k": k, "v": v, "bias": bias}
    return {
        **{name: {"shape": list(x.shape), "data": values(x)} for name, x in tensors.items()},
        "dy": values(dy),
        "y": values(y),
        **{f"d{name}": values(x.grad) for name, x in tensors.items()},
    }


write("kernels", "attention-bias", "attention", [
    biased(shape, seed)
    for seed, shape in enumerate([(2, 3, 5, 11), (1, 3, 5, 11), (2, 1, 5, 11), (1, 1, 5, 11)])
])
