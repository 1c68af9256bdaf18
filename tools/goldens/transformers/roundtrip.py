"""
Loads with transformers what `save.mjs` saved: roundtrip.py GOLDENS SAVED RESULT

No key may be missing, unexpected or of another shape, and the outputs must be those of the original.
"""

import json
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file

goldens, saved, result = map(Path, sys.argv[1:])
BOUND = 1e-5


def load(kind, path):
    """The model, and whether every parameter of it has come from the files."""
    model, info = kind.from_pretrained(path, attn_implementation="eager", output_loading_info=True)
    problems = {key: sorted(map(str, value)) for key, value in info.items() if value}
    assert not problems, (path.name, problems)
    return model.eval()


def ratio(actual, expected):
    """RMS of the difference over RMS of what is expected."""
    actual, expected = actual.double(), expected.double()
    return ((actual - expected).pow(2).mean() / expected.pow(2).mean().clamp(min=1e-30)).sqrt().item()


def outputs_of(model, inputs):
    arguments = {k: v.long() for k, v in inputs.items() if not k.startswith("cotangent.")}
    with torch.no_grad():
        return model(**arguments, output_hidden_states=True, output_attentions=True, return_dict=True)


rows = {}
for path in sorted(saved.iterdir()):
    note = json.loads((goldens / path.name / "expected.json").read_text())
    kind = getattr(transformers, note["class"], None)
    if kind is None:
        continue  # of another version of transformers
    expected = load_file(goldens / path.name / "expected.safetensors")
    inputs = {k.removeprefix("inputs."): v for k, v in expected.items() if k.startswith("inputs.")}
    original, ours = (load(kind, folder / path.name) for folder in (goldens, saved))
    for key, tensor in original.state_dict().items():
        assert torch.equal(tensor, ours.state_dict()[key]), (path.name, key)
    theirs, given = outputs_of(original, inputs), outputs_of(ours, inputs)
    name = next(k for k in theirs if k.endswith(("logits", "last_hidden_state")))
    error = ratio(given[name], theirs[name])
    assert error <= BOUND, (path.name, error)
    rows[path.name] = {"class": note["class"], "output": name, "rms_ratio": error}
    print(f"{path.name}: {note['class']} loads, {name} differs by {error:.1e}")

versions = {"transformers": transformers.__version__, "torch": torch.__version__}
result.write_text(json.dumps({"versions": versions, "models": rows}, indent=2) + "\n")
