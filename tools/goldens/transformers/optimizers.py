"""Twenty steps of every optimizer on the tiny GPT-2 and the tiny T5."""

import torch
from golden import generator
from objectives import ids, paired
from steps import RATE, decaying, folder, run, write
from transformers import Adafactor


class Lion(torch.optim.Optimizer):
    """The program of Chen et al. 2023, algorithm 2."""

    def __init__(self, params, betas, lr):
        super().__init__(params, {"lr": lr, "betas": betas})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                update = (beta1 * m + (1 - beta1) * p.grad).sign()
                m.copy_(beta2 * m + (1 - beta2) * p.grad)
                p.mul_(1 - group["lr"] * group["weight_decay"]).sub_(group["lr"] * update)


class Muon:
    """
    torch.optim.Muon of the maps of attention and feed-forward layers, AdamW of the rest.

    PyTorch rounds its Newton-Schulz iteration to bfloat16, which leaves three digits of it. Headwise computes it in
    float32; for a comparison to 1e-4 this golden keeps the iteration in float64: inside `double_precision` of golden.py
    `Tensor.bfloat16` is `Tensor.double`. All else is PyTorch's program.

    GPT-2 keeps its matrices transposed, and queries, keys and values as one; Muon is given each map by itself, `[out, in]`.
    """

    def __init__(self, names):
        chosen = {key: p for key, p in names.items() if p.ndim == 2 and self.is_map(key)}
        self.maps = []
        for key, p in chosen.items():
            turned = "c_" in key
            parts = 3 if "c_attn" in key else 1
            self.maps += [(p, turned, part, parts) for part in range(parts)]
        self.copies = [torch.nn.Parameter(self.part(p, *which)) for p, *which in self.maps]
        self.muon = torch.optim.Muon(self.copies, lr=RATE, weight_decay=0.1)
        rest = [p for key, p in names.items() if key not in chosen]
        self.adamw = torch.optim.AdamW(rest, lr=RATE, betas=(0.9, 0.95), weight_decay=0.0)

    @staticmethod
    def is_map(key):
        # T5's bias of relative positions is a table of embeddings.
        attention = ("SelfAttention" in key or "EncDecAttention" in key) and "relative" not in key
        return ".c_" in key or attention or "DenseReluDense" in key

    @staticmethod
    def part(matrix, turned, part, parts):
        whole = matrix.detach().T if turned else matrix.detach()
        return whole.chunk(parts)[part].clone()

    @torch.no_grad()
    def step(self):
        for copy, (p, *which) in zip(self.copies, self.maps):
            copy.grad = self.part(p.grad, *which)
        self.muon.step()
        self.adamw.step()
        for copy, (p, turned, part, parts) in zip(self.copies, self.maps):
            (p.data.T if turned else p.data).chunk(parts)[part].copy_(copy)


OPTIMIZERS = {
    "AdamW": lambda names: torch.optim.AdamW(decaying(list(names.values()), 0.1), lr=RATE),
    # The bias of keys has a gradient of 0, which every program computes as other roundings. Adafactor divides them by their own
    # size, and the size of a step of all of GPT-2's `c_attn.bias` depends on them: unless epsilon, 1e-30 by default, is above them.
    "Adafactor": lambda names: Adafactor(
        decaying(list(names.values()), 0.1), lr=RATE, eps=(1e-12, 1e-3), relative_step=False, scale_parameter=True),
    # Lion steps by signs: an average of gradients that is 0 but for roundings makes one of two steps, which is to be a small one.
    "Lion": lambda names: Lion(decaying(list(names.values()), 0.1), (0.9, 0.99), RATE / 30),
    "Muon": Muon,
    "Sgd": lambda names: torch.optim.SGD(decaying(list(names.values()), 0.1), lr=RATE, momentum=0.9),
}


def next_tokens(random):
    """Every token and the next one; transformers shifts the labels itself."""
    tokens = ids(random, 12)
    return {"input_ids": tokens, "labels": tokens}


if __name__ == "__main__":
    write(folder / "optimizers.json", "optimizers.py", [
        {"optimizer": name, **run(f"{name} of {model}", model, [make(random), make(random)], optimizer=optimizer)}
        for model, make in (("gpt2", next_tokens), ("t5", paired))
        for name, optimizer in OPTIMIZERS.items()
        for random in [generator(f"optimizers of {model}")]
    ])
