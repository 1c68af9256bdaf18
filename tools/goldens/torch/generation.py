"""Probabilities after temperature, top-k and top-p, in the order of Hugging Face's generate."""

import torch
from golden import random, seeded, values, write
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

cases = []
for seed in (1, 2):
    scores = random(seeded(seed), 12, scale=2.0)
    for temperature, top_k, top_p in [
        (1.0, None, None), (0.5, None, None), (1.7, 5, None), (1.0, None, 0.6), (0.8, 7, 0.9),
        (1.0, 1, None), (1.3, 4, 0.3), (2.0, None, 0.999),
    ]:
        warped = TemperatureLogitsWarper(temperature)(None, scores[None])
        if top_k is not None:
            warped = TopKLogitsWarper(top_k)(None, warped)
        if top_p is not None:
            warped = TopPLogitsWarper(top_p)(None, warped)
        options = {"temperature": temperature, "topK": top_k, "topP": top_p}
        cases.append({
            "options": {k: v for k, v in options.items() if v is not None},
            "scores": values(scores),
            "probabilities": values(torch.softmax(warped[0], -1)),
        })
write("generation", "sampling", "generation", cases, "transformers")
