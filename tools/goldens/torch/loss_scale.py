"""Steps of AdamW behind torch.amp.GradScaler: the scale before each step, and the weights after it."""

import torch
from golden import write

MAX_NORM, RATE = 1.0, 0.1
INFINITE, NAN = float("inf"), float("nan")
CASES = [
    ({}, [[1, 2, 3], [INFINITE, 0, 0], [0.5, 0, -1], [0, NAN, 0], [-INFINITE, 1, 1], [2, 2, 2]]),
    ({"initial": 8, "interval": 2}, [[0.1, 0.2, 0.3]] * 5 + [[NAN, 1, 1]] + [[-0.3, 0.1, 1e-6]] * 3),
    ({"initial": 10, "growth": 1.7, "backoff": 0.3, "interval": 3},
     [[1, -1, 1], [INFINITE, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, NAN, 1], [1, 1, 1], [3, 1, 1], [1, 4, 1], [1, 1, 5]]),
    # The scaled gradient itself overflows, until the scale has come down; then it cannot grow further.
    ({"initial": 2.0**126, "interval": 1, "backoff": 0.25}, [[5, 1, 1], [5, 1, 1], [0.5, 1, 1], [0.25, 0.1, 0.1], [0.5, 0, 0], [0.5, 0, 0]]),
]
NAMES = {"initial": "init_scale", "growth": "growth_factor", "backoff": "backoff_factor", "interval": "growth_interval"}


class Given(torch.autograd.Function):
    """A finite loss with a given gradient."""

    @staticmethod
    def forward(ctx, weights, gradient):
        ctx.gradient = gradient
        return weights.sum() * 0

    @staticmethod
    def backward(ctx, dy):
        return dy * ctx.gradient, None


cases = []
for options, gradients in CASES:
    weights = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float32, requires_grad=True)
    optimizer = torch.optim.AdamW([weights], lr=RATE, weight_decay=0.01)
    scaler = torch.amp.GradScaler("cpu", **{NAMES[name]: value for name, value in options.items()})
    steps = []
    for gradient in gradients:
        optimizer.zero_grad()
        loss = Given.apply(weights, torch.tensor(gradient, dtype=torch.float32))
        scaler.scale(loss).backward()
        scale = scaler.get_scale()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_([weights], MAX_NORM)
        scaler.step(optimizer)
        scaler.update()
        state = optimizer.state.get(weights)
        steps.append({
            "gradient": [value if abs(value) < INFINITE else str(value) for value in gradient],
            "scale": scale,
            "updates": int(state["step"]) if state else 0,
            "weights": [float(f"{value:.8g}") for value in weights.tolist()],
        })
    cases.append({"options": options, "steps": steps, "last": scaler.state_dict()["scale"], "finite": scaler.state_dict()["_growth_tracker"]})
write("training", "loss-scale", "loss_scale", cases)
