"""Trains a transformers model with PyTorch, one step for each line read, for `pnpm bench training`.

    python torch-step.py < requests

The first line is JSON: { config, inputs, targets, rows, length }. Each further line asks for a step, answered by a line of
JSON { ms, loss }. On the processor, in float32.
"""

import json
import sys
import time

import torch
import transformers

transformers.logging.set_verbosity_error()

request = json.loads(sys.stdin.readline())
config = transformers.AutoConfig.for_model(**request["config"])
model = getattr(transformers, request["architecture"])(config).train()
shape = [request["rows"], request["length"]]
ids = torch.tensor(request["inputs"]).view(shape)
labels = torch.tensor(request["targets"]).view(shape)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01, fused=True)


def mean_loss():
    if request["config"]["model_type"] != "gpt2":
        return model(input_ids=ids, labels=labels).loss
    # The labels are those of the next token already.
    logits = model(input_ids=ids, use_cache=False).logits
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())


print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads(), "parameters": model.num_parameters()}), flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    loss = mean_loss()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    print(json.dumps({"ms": (time.perf_counter() - start) * 1000, "loss": loss.item()}), flush=True)
