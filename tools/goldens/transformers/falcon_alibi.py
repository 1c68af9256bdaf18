"""ALiBi as transformers' Falcon rounds it to bfloat16."""

import json
import sys
from pathlib import Path

import torch
import transformers
from transformers.models.falcon.modeling_falcon import build_alibi_tensor

KEYS = [0, 1, 2, 3, 7, 100, 255, 257, 300, 1000]
cases = []
for heads in (4, 12, 71):
    biases = build_alibi_tensor(torch.ones(1, 1001, dtype=torch.int64), heads, torch.float32)
    cases.append({"heads": heads, "keys": KEYS, "biases": biases[:, 0, KEYS].T.tolist()})
note = {"source": "transformers", "version": transformers.__version__, "script": "tools/goldens/transformers/falcon_alibi.py", "cases": cases}
Path(sys.argv[1]).write_text(json.dumps(note, separators=(",", ":")) + "\n")
