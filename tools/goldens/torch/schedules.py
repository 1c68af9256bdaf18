"""The factor of the learning rate at every step, of transformers' schedules."""

import torch
from golden import write
from transformers import optimization

OPTIMIZER = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
CASES = [
    ("warmupConstant", {"warmupSteps": 4}, "get_constant_schedule_with_warmup", {"num_warmup_steps": 4}),
    ("warmupLinear", {"warmupSteps": 5, "totalSteps": 25}, "get_linear_schedule_with_warmup",
     {"num_warmup_steps": 5, "num_training_steps": 25}),
    ("warmupCosine", {"warmupSteps": 5, "totalSteps": 25}, "get_cosine_schedule_with_warmup",
     {"num_warmup_steps": 5, "num_training_steps": 25}),
    ("warmupCosine", {"warmupSteps": 3, "totalSteps": 28, "floor": 0.1}, "get_cosine_with_min_lr_schedule_with_warmup",
     {"num_warmup_steps": 3, "num_training_steps": 28, "min_lr_rate": 0.1}),
    ("warmupInverseSquareRoot", {"warmupSteps": 6}, "get_inverse_sqrt_schedule", {"num_warmup_steps": 6}),
    ("warmupInverseSquareRoot", {"warmupSteps": 2, "timescale": 11}, "get_inverse_sqrt_schedule",
     {"num_warmup_steps": 2, "timescale": 11}),
    *[
        ("warmupStableDecay", {"warmupSteps": 4, "totalSteps": 27, "decaySteps": 13, "decay": decay},
         "get_wsd_schedule", {"num_warmup_steps": 4, "num_training_steps": 27, "num_decay_steps": 13, "decay_type": decay})
        for decay in ("linear", "cosine", "1-sqrt")
    ],
]
cases = []
for name, options, function, arguments in CASES:
    factor = getattr(optimization, function)(OPTIMIZER, **arguments).lr_lambdas[0]
    steps = range(arguments.get("num_training_steps", 29) + 1)
    cases.append({"schedule": name, "options": options, "factors": [float(f"{factor(i):.9g}") for i in steps]})
write("training", "schedules", "schedules", cases, library="transformers")
