"""Probabilities after penalties, temperature, top-k, top-p and min-p, in the order of Hugging Face's generate."""

import torch
from golden import random, seeded, values, write
from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

cases = []
for seed in (1, 2):
    scores = random(seeded(seed), 12, scale=2.0)
    for temperature, top_k, top_p, min_p, repetition in [
        (1.0, None, None, None, None), (0.5, None, None, None, None), (1.7, 5, None, None, None),
        (1.0, None, 0.6, None, None), (0.8, 7, 0.9, None, None), (1.0, 1, None, None, None),
        (1.3, 4, 0.3, None, None), (2.0, None, 0.999, None, None), (1.0, None, None, 0.1, None),
        (0.9, 8, 0.95, 0.05, None), (1.0, None, None, None, 1.5), (0.7, 6, 0.9, 0.02, 1.2),
    ]:
        history = torch.tensor([[0, 3, 3, 5, 11]])
        warped = scores[None]
        if repetition is not None:
            warped = RepetitionPenaltyLogitsProcessor(repetition)(history, warped)
        warped = TemperatureLogitsWarper(temperature)(None, warped)
        if top_k is not None:
            warped = TopKLogitsWarper(top_k)(None, warped)
        if top_p is not None:
            warped = TopPLogitsWarper(top_p)(None, warped)
        if min_p is not None:
            warped = MinPLogitsWarper(min_p)(None, warped)
        options = {"temperature": temperature, "topK": top_k, "topP": top_p, "minP": min_p}
        options["repetitionPenalty"] = repetition
        cases.append({
            "options": {k: v for k, v in options.items() if v is not None},
            "history": history[0].tolist(),
            "scores": values(scores),
            "probabilities": values(torch.softmax(warped[0], -1)),
        })

# On the edge: sums that are the threshold, ratios that are, and ties at it; in float32, as models give scores.
for probabilities, options in [
    ([0.5, 0.3, 0.2], {"topP": 0.8}), ([0.2, 0.3, 0.5], {"topP": 0.8}), ([0.5, 0.25, 0.25], {"topP": 0.5}),
    ([0.4, 0.3, 0.2, 0.1], {"topP": 0.7}), ([0.4, 0.3, 0.2, 0.1], {"topP": 0.9}), ([0.7, 0.2, 0.1], {"topP": 0.9}),
    ([0.3, 0.3, 0.3, 0.1], {"topP": 0.9}), ([0.1, 0.6, 0.3], {"topP": 0.6}),
    ([0.4, 0.3, 0.2, 0.1], {"topP": 0.5, "minP": 0.75}), ([0.6, 0.3, 0.1], {"minP": 0.5}),
    ([0.4, 0.1, 0.2, 0.3], {"minP": 0.25}), ([0.2, 0.4, 0.2, 0.2], {"minP": 0.5}), ([0.25] * 4, {"minP": 1.0}),
    ([0.25] * 4, {"topK": 2}), ([0.25] * 4, {"topK": 1}), ([0.1, 0.2, 0.3, 0.2, 0.2], {"topK": 2}),
    ([0.1, 0.3, 0.3, 0.2, 0.1], {"topK": 4}), ([0.1, 0.2, 0.3, 0.2, 0.2], {"topK": 2, "topP": 0.3}),
    ([0.1, 0.2, 0.3, 0.4], {"temperature": 1e-30}), ([0.3, 0.2, 0.3, 0.2], {"temperature": 1e-36}),
]:
    scores = torch.tensor(probabilities, dtype=torch.float64).log().float()
    kinds = {"temperature": TemperatureLogitsWarper, "topK": TopKLogitsWarper, "topP": TopPLogitsWarper}
    kinds["minP"] = MinPLogitsWarper
    warpers = LogitsProcessorList([kind(options[name]) for name, kind in kinds.items() if name in options])
    cases.append({
        "options": options,
        "history": [],
        "scores": values(scores),
        "probabilities": values(torch.softmax(warpers(None, scores[None])[0], -1)),
    })
write("kernels", "sampling", "generation", cases, "transformers")
