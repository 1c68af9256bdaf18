"""
Loads with transformers what `save.mjs` saved: roundtrip.py GOLDENS SAVED RESULT

Each checkpoint by the version of transformers that made it.

No key may be missing, unexpected or of another shape, and the outputs must be those of the original.
"""

import json
import sys
from pathlib import Path

import torch
import transformers
from golden import reload
from safetensors.torch import load_file

goldens, saved, result = map(Path, sys.argv[1:])
BOUND = 1e-5


def load(kind, path, unread):
    """The model; every parameter of it must have come from the files, but for those that nothing reads."""
    if json.loads((path / "config.json").read_text()).get("untie_r") is False:
        # `from_pretrained` of this class would make the biases that layers share anew.
        shards = [load_file(file) for file in path.glob("model*.safetensors")]
        return reload(kind, path, {key: tensor for shard in shards for key, tensor in shard.items()})
    model, info = kind.from_pretrained(
        path, attn_implementation="eager", experts_implementation="eager", output_loading_info=True,
    )
    problems = {key: sorted(set(map(str, value)) - unread) for key, value in info.items()}
    problems = {key: value for key, value in problems.items() if value}
    assert not problems, (path.name, problems)
    return model.eval()


def ratio(actual, expected):
    """RMS of the difference over RMS of what is expected."""
    actual, expected = actual.double(), expected.double()
    return ((actual - expected).pow(2).mean() / expected.pow(2).mean().clamp(min=1e-30)).sqrt().item()


def class_of(name):
    if name != "TransfoXLLMHeadModel":
        return getattr(transformers, name)
    from transfo_xl import TransfoXLLMHeadModel

    return TransfoXLLMHeadModel


def outputs_of(model, inputs):
    if hasattr(model, "crit"):
        from transfo_xl import segments

        return segments(model, inputs)[0]
    arguments = {k: v if v.is_floating_point() else v.long() for k, v in inputs.items() if not k.startswith("cotangent.")}
    with torch.no_grad():
        return model(**arguments, output_hidden_states=True, output_attentions=True, return_dict=True)


rows = {}
for path in sorted(saved.iterdir()):
    note = json.loads((goldens / path.name / "expected.json").read_text())
    if note["version"] != transformers.__version__:
        continue
    kind = class_of(note["class"])
    expected = load_file(goldens / path.name / "expected.safetensors")
    inputs = {k.removeprefix("inputs."): v for k, v in expected.items() if k.startswith("inputs.")}
    # Where encoder, decoder and head have tables of their own, the shared one has no effect.
    unread = {"model.shared.weight"} if "model.shared.weight" in note["buffers"] else set()
    # ViT's pooler in a model of captions: saved as zeros.
    pooler = {key for key in note["buffers"] if key.startswith("encoder.pooler.")}
    original, ours = (load(kind, folder / path.name, unread) for folder in (goldens, saved))
    for key, tensor in original.state_dict().items():
        if key in unread | pooler:
            continue
        exact = not key.endswith("inv_freq")  # computed anew
        assert torch.allclose(tensor, ours.state_dict()[key], rtol=0 if exact else 1e-6, atol=0), (path.name, key)
    theirs, given = outputs_of(original, inputs), outputs_of(ours, inputs)
    name = next(k for k in theirs if k.endswith(("logits", "last_hidden_state", "1.log_probabilities")))
    error = ratio(given[name], theirs[name])
    assert error <= BOUND, (path.name, error)
    rows[path.name] = {"class": note["class"], "output": name, "rms_ratio": error}
    print(f"{path.name}: {note['class']} loads, {name} differs by {error:.1e}")

before = json.loads(result.read_text()) if result.exists() else {}
before[f"transformers {transformers.__version__}, torch {torch.__version__}"] = rows
result.write_text(json.dumps(before, indent=2) + "\n")
