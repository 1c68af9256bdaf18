"""AdamW over five steps, and clipping by the global norm."""

import torch
from golden import random, seeded, values, write

g = seeded(1)
matrix = random(g, 3, 5).requires_grad_()
vector = random(g, 5).requires_grad_()
initial = {"matrix": values(matrix), "vector": values(vector)}
options = {"beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8, "weightDecay": 0.1}
optimizer = torch.optim.AdamW(
    [{"params": [matrix], "weight_decay": 0.1}, {"params": [vector], "weight_decay": 0.0}],
    betas=(0.9, 0.99),
    eps=1e-8,
)
steps = []
for rate in (0.1, 0.01, 0.02, 0.005, 0.001):
    for group in optimizer.param_groups:
        group["lr"] = rate
    matrix.grad, vector.grad = random(g, 3, 5), random(g, 5)
    gradients = {"matrix": values(matrix.grad), "vector": values(vector.grad)}
    optimizer.step()
    after = {"matrix": values(matrix), "vector": values(vector)}
    steps.append({"learningRate": rate, "gradients": gradients, "after": after})
write("training", "adamw", "training", [{"options": options, "initial": initial, "steps": steps}])


def clip_case(scale, max_norm):
    parameters = [torch.zeros(3, 5, requires_grad=True), torch.zeros(7, requires_grad=True)]
    for parameter in parameters:
        parameter.grad = random(g, *parameter.shape, scale=scale)
    before = [values(p.grad) for p in parameters]
    norm = torch.nn.utils.clip_grad_norm_(parameters, max_norm)
    return {
        "maxNorm": max_norm,
        "before": before,
        "norm": norm.item(),
        "after": [values(p.grad) for p in parameters],
    }


write("training", "clip", "training", [clip_case(3.0, 1.0), clip_case(0.01, 1.0)])
