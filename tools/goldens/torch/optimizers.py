"""
Twenty steps of every optimizer on small tensors, whose gradients are `base · cos(phase · t)`, and averages of their weights.

Muon's Newton-Schulz iteration, which PyTorch rounds to bfloat16, is kept in float64: see below.
"""

import math

import torch
from golden import random, seeded, values, write
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers import Adafactor

SHAPES = {"one": [1], "vector": [7], "wide": [3, 5], "tall": [11, 4], "square": [8, 8], "cube": [2, 3, 4]}
STEPS = 20
g = seeded(3)
tensors = {
    name: {"shape": shape, "initial": random(g, *shape), "base": random(g, *shape), "phase": random(g, *shape)}
    for name, shape in SHAPES.items()
}


def rate(step):
    return 0.02 / (1 + step)


class Lion(torch.optim.Optimizer):
    """The program of Chen et al. 2023, algorithm 2."""

    def __init__(self, params, betas, lr=0.0, weight_decay=0.0):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                update = (beta1 * m + (1 - beta1) * p.grad).sign()
                m.copy_(beta2 * m + (1 - beta2) * p.grad)
                p.mul_(1 - group["lr"] * group["weight_decay"]).sub_(group["lr"] * update)


# torch.optim.Muon rounds its Newton-Schulz iteration to bfloat16, which leaves three digits of it. Headwise computes it in
# float32. For a comparison to 1e-5 the rounding is taken out here: `bfloat16()` keeps the values as they are.
torch.Tensor.bfloat16 = lambda self: self.clone()


def groups(params, decay):
    """Weight decay of matrices alone."""
    matrices = [p for p in params.values() if p.ndim >= 2]
    others = [p for p in params.values() if p.ndim < 2]
    return [{"params": matrices, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


def muon(decay, **options):
    """Muon of matrices, AdamW of the rest at half the rate."""

    def make(params):
        matrices = [p for p in params.values() if p.ndim == 2]
        rest = [p for p in params.values() if p.ndim != 2]
        others = torch.optim.AdamW(rest, lr=0.0, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.0)
        others.factor = 0.5
        return [torch.optim.Muon(matrices, weight_decay=decay, **options), others]

    return make


CASES = [
    ("AdamW", {"weightDecay": 0.1, "beta2": 0.99},
     lambda params: [torch.optim.AdamW(groups(params, 0.1), betas=(0.9, 0.99))]),
    ("Sgd", {"weightDecay": 0.1}, lambda params: [torch.optim.SGD(groups(params, 0.1), lr=0.0)]),
    ("Sgd", {"momentum": 0.9, "dampening": 0.3},
     lambda params: [torch.optim.SGD(groups(params, 0.0), lr=0.0, momentum=0.9, dampening=0.3)]),
    ("Sgd", {"momentum": 0.9, "nesterov": True, "weightDecay": 0.1},
     lambda params: [torch.optim.SGD(groups(params, 0.1), lr=0.0, momentum=0.9, nesterov=True)]),
    ("Lion", {"weightDecay": 0.5}, lambda params: [Lion(groups(params, 0.5), betas=(0.9, 0.99))]),
    ("Muon", {"weightDecay": 0.1}, muon(0.1)),
    ("Muon", {"weightDecay": 0, "adjust": "match-rms-adamw", "nesterov": False, "momentum": 0.9,
              "iterations": 3},
     muon(0.0, adjust_lr_fn="match_rms_adamw", nesterov=False, momentum=0.9, ns_steps=3)),
    ("Adafactor", {},
     lambda params: [Adafactor(params.values(), lr=0.0, relative_step=False, scale_parameter=True)]),
    ("Adafactor", {"scaleParameter": False, "beta1": 0.9, "weightDecay": 0.1, "clipThreshold": 0.7},
     lambda params: [Adafactor(groups(params, 0.1), lr=0.0, relative_step=False, scale_parameter=False, beta1=0.9,
                               clip_threshold=0.7)]),
    ("Adafactor", {"relativeStep": True}, lambda params: [Adafactor(params.values())]),
    ("Adafactor", {"relativeStep": True, "warmupInit": True, "decayRate": -0.5},
     lambda params: [Adafactor(params.values(), warmup_init=True, decay_rate=-0.5)]),
]


def warm(decay):
    """The decay of diffusers' EMAModel, `min(decay, (1 + n) / (10 + n))` after n updates; the first one copies."""

    def average(averaged, current, n):
        return torch.lerp(averaged, current, 1 - min(decay, (1 + n.item()) / (10 + n.item())))

    return {"avg_fn": average}


AVERAGES = [
    ({"decay": 0.9}, {"multi_avg_fn": get_ema_multi_avg_fn(0.9)}),
    ({"decay": 0.7, "warmup": True}, warm(0.7)),
]


def averaged():
    """AdamW's weights, averaged after each step by torch.optim.swa_utils.AveragedModel."""
    module = torch.nn.Module()
    for name, t in tensors.items():
        module.register_parameter(name, torch.nn.Parameter(t["initial"].clone()))
    models = [AveragedModel(module, **how) for _, how in AVERAGES]
    named = dict(module.named_parameters())
    optimizer = torch.optim.AdamW(groups(named, 0.1), betas=(0.9, 0.99))
    for step in range(STEPS):
        for name, p in named.items():
            p.grad = tensors[name]["base"] * torch.cos(tensors[name]["phase"] * step)
        for group in optimizer.param_groups:
            group["lr"] = rate(step)
        optimizer.step()
        for model in models:
            model.update_parameters(module)
    return [
        {"options": options, "after": {name: values(p) for name, p in model.module.named_parameters()}}
        for (options, _), model in zip(AVERAGES, models)
    ]


def run(make):
    params = {name: t["initial"].clone().requires_grad_() for name, t in tensors.items()}
    optimizers = make(params)
    for step in range(STEPS):
        for name, p in params.items():
            p.grad = tensors[name]["base"] * torch.cos(tensors[name]["phase"] * step)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                if group["lr"] is not None:
                    group["lr"] = rate(step) * getattr(optimizer, "factor", 1)
            optimizer.step()
    assert all(math.isfinite(p.sum().item()) for p in params.values())
    return {name: values(p) for name, p in params.items()}


given = {
    name: {"shape": t["shape"], **{key: values(t[key]) for key in ("initial", "base", "phase")}}
    for name, t in tensors.items()
}
rates = [rate(step) for step in range(STEPS)]
cases = [{"optimizer": name, "options": options, "after": run(make)} for name, options, make in CASES]
write("training", "optimizers", "optimizers", [{"rates": rates, "tensors": given, "runs": cases, "averages": averaged()}])
