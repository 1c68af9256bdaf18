"""Norms, GELU and cross-entropy: outputs and gradients for a random cotangent."""

import torch
import torch.nn.functional as F
from golden import random, seeded, values, write


def norm_case(op, shape, eps, seed):
    g = seeded(seed)
    x = (random(g, *shape, scale=3.0) + 2).float().double().requires_grad_()
    weight = random(g, shape[-1]).requires_grad_()
    bias = random(g, shape[-1]).requires_grad_()
    dy = random(g, *shape)
    if op == "layerNorm":
        y = F.layer_norm(x, shape[-1:], weight, bias, eps)
    else:
        y = F.rms_norm(x, shape[-1:], weight, eps)
    y.backward(dy)
    case = {"op": op, "shape": shape, "eps": eps, "x": values(x), "weight": values(weight)}
    case |= {"dy": values(dy), "y": values(y), "dx": values(x.grad), "dweight": values(weight.grad)}
    if op == "layerNorm":
        case |= {"bias": values(bias), "dbias": values(bias.grad)}
    return case


def gelu_case(approximate):
    x = torch.linspace(-6, 6, 13).requires_grad_()
    y = F.gelu(x, approximate=approximate)
    y.sum().backward()
    return {"approximate": approximate, "x": values(x), "y": values(y), "dx": values(x.grad)}


def cross_entropy_case(shape, scale, seed, label_smoothing=0.0, z_loss=0.0, ignored=()):
    g = seeded(seed)
    logits = random(g, *shape, scale=scale).requires_grad_()
    labels = torch.randint(0, shape[1], (shape[0],), generator=g)
    dy = random(g, shape[0])
    labels[list(ignored)] = -100
    loss = F.cross_entropy(logits, labels, reduction="none", label_smoothing=label_smoothing)
    loss = loss + z_loss * torch.logsumexp(logits, -1).square() * (labels != -100)
    loss.backward(dy)
    return {
        "shape": shape,
        "options": {"labelSmoothing": label_smoothing, "zLoss": z_loss},
        "logits": values(logits),
        "labels": labels.tolist(),
        "dy": values(dy),
        "loss": values(loss),
        "dlogits": values(logits.grad),
    }


shapes = [([2, 3, 5], 1e-5), ([7, 11], 1e-6), ([3, 1], 1e-5)]
norms = [
    norm_case(op, shape, eps, seed)
    for op in ("layerNorm", "rmsNorm")
    for seed, (shape, eps) in enumerate(shapes)
]
write("kernels", "norms", "kernels", norms)
write("kernels", "gelu", "kernels", [gelu_case("none"), gelu_case("tanh")])
write("kernels", "cross-entropy", "kernels", [
    cross_entropy_case([5, 7], 2.0, 1),
    cross_entropy_case([3, 11], 1e4, 2),
    cross_entropy_case([5, 13], 2.0, 3, label_smoothing=0.1),
    cross_entropy_case([5, 7], 2.0, 4, z_loss=0.01),
    cross_entropy_case([7, 11], 3.0, 5, label_smoothing=0.2, z_loss=1e-3, ignored=(1, 6)),
])
