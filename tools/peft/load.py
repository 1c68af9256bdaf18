"""
Loads with PEFT the adapters that `compare.mjs` has saved: load.py GOLDENS SAVED RESULT

No key may be missing or left over, and the logits must be ours.
"""

import json
import sys
import warnings
from pathlib import Path

import peft
import torch
import transformers
from peft import PeftModel
from safetensors.torch import load_file

goldens, saved, result = map(Path, sys.argv[1:])
BOUND = 1e-5
warnings.filterwarnings("error", message=".*missing adapter keys")


def ratio(actual, expected):
    """RMS of the difference over RMS of what is expected."""
    actual, expected = actual.double(), expected.double()
    return ((actual - expected).pow(2).mean() / expected.pow(2).mean()).sqrt().item()


def logits_of(model, inputs):
    with torch.no_grad():
        return model(**inputs).logits


rows = {}
for folder in sorted(saved.iterdir()):
    name = folder.name.split(",")[0]
    note = json.loads((goldens / name / "expected.json").read_text())
    kind = getattr(transformers, note["class"])
    base = kind.from_pretrained(goldens / name, attn_implementation="eager").eval()
    expected = load_file(goldens / name / "expected.safetensors")
    inputs = {key: expected[f"inputs.{key}"].long() for key in ("input_ids", "decoder_input_ids")
              if f"inputs.{key}" in expected}
    bare = logits_of(base, inputs)
    model = PeftModel.from_pretrained(base, folder).eval()
    ours = load_file(folder / "ours.safetensors")["logits"]
    held = {key for key in model.state_dict() if ".lora_" in key}
    stored = load_file(folder / "adapter_model.safetensors")
    loaded = peft.get_peft_model_state_dict(model)
    assert stored.keys() == loaded.keys(), (folder.name, stored.keys() ^ loaded.keys())
    assert all(torch.equal(stored[key], loaded[key]) for key in stored), folder.name
    assert len(held) == len(stored), (folder.name, len(held), len(stored))
    error, change = ratio(ours, logits_of(model, inputs)), ratio(bare, logits_of(model, inputs))
    # An adapter that changes nothing would agree with anything.
    assert error <= BOUND < 0.01 < change, (folder.name, error, change)
    rows[folder.name] = {"class": note["class"], "tensors": len(stored), "rms_ratio": error, "changes_by": change}
    print(f"{folder.name}: {len(stored)} tensors, logits differ by {error:.1e}, the adapter changes them by {change:.2f}")

result.write_text(json.dumps({
    "versions": {"peft": peft.__version__, "transformers": transformers.__version__, "torch": torch.__version__},
    "bound": BOUND,
    "adapters": rows,
}, indent=2) + "\n")
