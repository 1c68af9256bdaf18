"""Mixed precision: single linear maps, and twenty steps of the tiny GPT-2, in float64 but for what is rounded to float16."""

import json
import sys
from pathlib import Path

import torch
from golden import double_precision, generator, reload, saved_names
from optimizers import next_tokens
from safetensors.torch import load_file, save_file
from steps import MODELS, RATE, STEPS, decaying, folder, write

kernels = Path(sys.argv[2])
LARGEST = 65504.0


def rounded(x):
    """What a half holds of a value; infinite beyond the largest."""
    return x.half().double()


class MixedLinear(torch.autograd.Function):
    """
    `f(x W + b)`. The operands of each product, forward and backward, are rounded to halves; the sums are not. The slope of f is
    that at the rounded `x W + b`, of which the largest half takes the place of what is larger.
    """

    @staticmethod
    def forward(ctx, x, weight, bias, f):
        z = rounded(x) @ rounded(weight) + bias
        ctx.save_for_backward(x, weight, z)
        ctx.f = f
        return f(z)

    @staticmethod
    def backward(ctx, dy):
        x, weight, z = ctx.saved_tensors
        with torch.enable_grad():
            kept = rounded(z).clamp(-LARGEST, LARGEST).requires_grad_()
            (slope,) = torch.autograd.grad(ctx.f(kept).sum(), kept)
        dz = rounded(dy * slope)
        rows, dz_rows = rounded(x).flatten(0, -2), dz.flatten(0, -2)
        return dz @ rounded(weight).T, rows.T @ dz_rows, dz_rows.sum(0), None


class MixedGatedLinear(torch.autograd.Function):
    """`f(x G) * (x U)`, rounded as `MixedLinear`; the gradient of x is of the sum of both products."""

    @staticmethod
    def forward(ctx, x, gate, up, f):
        g, u = rounded(x) @ rounded(gate), rounded(x) @ rounded(up)
        ctx.save_for_backward(x, gate, up, g, u)
        ctx.f = f
        return f(g) * u

    @staticmethod
    def backward(ctx, dh):
        x, gate, up, g, u = ctx.saved_tensors
        kept_g, kept_u = (rounded(v).clamp(-LARGEST, LARGEST) for v in (g, u))
        with torch.enable_grad():
            at = kept_g.clone().requires_grad_()
            (slope,) = torch.autograd.grad(ctx.f(at).sum(), at)
        dg, du = rounded(dh * kept_u * slope), rounded(dh * ctx.f(kept_g))
        rows = rounded(x)
        return dg @ rounded(gate).T + du @ rounded(up).T, rows.T @ dg, rows.T @ du, None


ACTIVATIONS = {
    "none": lambda z: z,
    "relu": torch.relu,
    "gelu_new": lambda z: torch.nn.functional.gelu(z, approximate="tanh"),
    "silu": torch.nn.functional.silu,
}


def table(tensor):
    return {"shape": list(tensor.shape), "data": [float(f"{v:.9g}") for v in tensor.detach().flatten().tolist()]}


def linear_case(activation, rows, inner, out, gated=False):
    """Operands over nine powers of two, some of them subnormal halves; what comes out in float64."""
    random = generator(f"mixed {activation} {rows} {inner} {out} {gated}")
    normal = lambda *shape: torch.randn(*shape, generator=random)
    spread = lambda *shape: (normal(*shape) * 2.0 ** torch.randint(-8, 1, shape, generator=random)).float()
    x, weight, other, dy = spread(rows, inner), spread(inner, out), spread(inner, out), spread(rows, out)
    x[0, 0], weight[0, 0] = 3e-6, -1.7e-5
    function = MixedGatedLinear if gated else MixedLinear
    second = other if gated else normal(out).float()
    given = [tensor.double().requires_grad_() for tensor in (x, weight, second)]
    y = function.apply(*given, ACTIVATIONS[activation])
    gradients = torch.autograd.grad(y, given, dy.double())
    names = ("x", "gate", "up") if gated else ("x", "weight", "bias")
    return {
        "activation": activation,
        "inputs": {name: table(tensor) for name, tensor in zip(names, given)},
        "dy": table(dy),
        "y": table(y),
        "gradients": {name: table(tensor) for name, tensor in zip(names, gradients)},
    }


def in_mixed_precision(model):
    """Every linear map of the blocks; the head and the loss stay as they are."""
    def mapped(conv, f):
        conv.forward = lambda x: MixedLinear.apply(x, conv.weight, conv.bias, f)

    for block in model.transformer.h:
        for conv in (block.attn.c_attn, block.attn.c_proj, block.mlp.c_proj):
            mapped(conv, ACTIVATIONS["none"])
        mapped(block.mlp.c_fc, ACTIVATIONS["gelu_new"])
        block.mlp.act = torch.nn.Identity()


def steps_of(batches, options):
    """Losses, loss scales and skipped steps, clipped at a norm of 1; without options in full precision."""
    saved = load_file(folder / "gpt2" / "model.safetensors")
    with double_precision():
        model = reload(MODELS["gpt2"][0], folder / "gpt2", saved)
        names = saved_names(model, saved)
    if options is not None:
        in_mixed_precision(model)
    optimizer = torch.optim.AdamW(decaying(list(names.values()), 0.1), lr=RATE)
    scaler = torch.amp.GradScaler("cpu", enabled=options is not None, **(options or {}))
    losses, scales, skipped = [], [], []
    for step in range(STEPS):
        optimizer.zero_grad()
        with double_precision():
            loss = model(**batches[step % len(batches)]).loss
        losses.append(float(f"{loss.item():.9g}"))
        scaled = scaler.scale(loss)
        with double_precision():
            scaled.backward()
        scales.append(scaler.get_scale())
        scaler.unscale_(optimizer)
        norm = torch.nn.utils.clip_grad_norm_(list(names.values()), 1.0)
        if not norm.isfinite():
            skipped.append(step)
        scaler.step(optimizer)
        scaler.update()
    return names, {"losses": losses, "scales": scales, "skipped": skipped}


if __name__ == "__main__":
    maps = [linear_case(name, rows, 12, 20) for name, rows in zip(ACTIVATIONS, (11, 9, 10, 3))]
    note = {"source": "torch", "version": torch.__version__, "script": "tools/goldens/transformers/mixed_precision.py"}
    gated = [linear_case("silu", 10, 7, 9, gated=True), linear_case("gelu_new", 4, 8, 12, gated=True)]
    (kernels / "mixed-precision.json").write_text(
        json.dumps({**note, "linear": maps, "gated": gated}, separators=(",", ":")) + "\n")

    random = generator("mixed precision of gpt2")
    batches = [next_tokens(random), next_tokens(random)]
    plain = [{k: {"shape": list(v.shape), "data": v.flatten().tolist()} for k, v in b.items()} for b in batches]
    _, full = steps_of(batches, None)
    cases = []
    for title, options in (("usual", {}), ("high", {"init_scale": 2.0**28, "growth_interval": 5})):
        names, made = steps_of(batches, options)
        file = f"after/mixed-{title}.safetensors"
        save_file({key: p.detach().float().contiguous().clone() for key, p in names.items()}, folder / file)
        print(title, made["losses"][0], made["losses"][-1], full["losses"][-1], made["skipped"])
        scale = {"initial": options.get("init_scale", 2.0**16), "interval": options.get("growth_interval", 2000)}
        cases.append({"model": "gpt2", "after": file, "scale": scale, "batches": plain, **made, "full": full["losses"]})
    write(folder / "mixed-precision.json", "mixed_precision.py", cases)
