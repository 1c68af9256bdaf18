"""Makes a golden: a tiny checkpoint of Hugging Face's, and what the model computes from it in float64."""

import contextlib
import hashlib
import json
import re
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file

folder = Path(sys.argv[1])
# The goldens to write; all where none is named.
only = set(sys.argv[2:])
IGNORED = -100


@contextlib.contextmanager
def double_precision():
    """Inside, every float is a double: transformers casts norms, softmax and rotations to `torch.float32`."""
    names = {torch: ("float", "float32", "bfloat16", "FloatTensor"), torch.Tensor: ("float", "bfloat16")}
    doubles = {"FloatTensor": torch.DoubleTensor}
    before = {(owner, name): getattr(owner, name) for owner in names for name in names[owner]}
    torch.set_default_dtype(torch.float64)
    for owner, name in before:
        double = torch.float64 if owner is torch else torch.Tensor.double
        setattr(owner, name, doubles.get(name, double))
    try:
        yield
    finally:
        for (owner, name), value in before.items():
            setattr(owner, name, value)
        torch.set_default_dtype(torch.float32)


def generator(name):
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
    return torch.Generator().manual_seed(seed)


def fill(model, random, scale=0.25):
    """No value is left at 0 or 1: a norm's weight or a bias that is forgotten must show."""
    tensors = dict(model.named_parameters())
    tensors |= {name: b for name, b in model.named_buffers() if name.endswith("final_logits_bias")}
    with torch.no_grad():
        for name, tensor in tensors.items():
            if "embed_positions" in name and not tensor.requires_grad:
                continue  # the sinusoidal table
            norm = tensor.ndim == 1 and name.endswith("weight")
            tensor.copy_(torch.randn(tensor.shape, generator=random) * scale + (1.0 if norm else 0.0))


def token_ids(random, vocabulary, lengths, length, side, pad):
    """Random ids, none of which is `pad`, and their mask; `side` says where the padding lies."""
    ids = torch.randint(2, vocabulary, (len(lengths), length), generator=random)
    mask = torch.zeros_like(ids)
    for row, n in enumerate(lengths):
        mask[row, slice(0, n) if side == "right" else slice(length - n, length)] = 1
    if pad is not None:
        ids[ids == pad] = vocabulary - 1
        ids[mask == 0] = pad
    return ids, mask


def next_token_labels(random, vocabulary, mask):
    """Random labels; none where a token or the token before it is padding, whose scores mean nothing."""
    labels = torch.randint(0, vocabulary, mask.shape, generator=random)
    before = torch.nn.functional.pad(mask[:, :-1], (1, 0))
    return labels.masked_fill((mask * before) == 0, IGNORED)


def clear_padding(name, value, masks):
    """Zeros where the query is padding: what stands there is no part of the model's promise."""
    decoder = name.startswith(("decoder_", "cross_")) or name in masks["decoder_outputs"]
    mask = masks["decoder"] if decoder else masks["tokens"]
    if name in ("start_logits", "end_logits"):
        return value  # a question's loss counts every position
    if mask is None or value.ndim < 2 or mask.shape[0] != value.shape[0]:
        return value
    if value.ndim == 4 and value.shape[2] == mask.shape[1]:
        return value * mask[:, None, :, None]
    if value.ndim in (2, 3) and value.shape[1] == mask.shape[1]:
        return value * (mask if value.ndim == 2 else mask[:, :, None])
    return value


def flatten(outputs):
    """`hidden_states.0`, `attentions.2`, `logits`, …: every tensor by a name of its own."""
    for name, value in outputs.items():
        if name in ("loss", "past_key_values", "losses", "aux_loss", "router_logits"):
            continue
        if isinstance(value, (tuple, list)):
            yield from ((f"{name}.{i}", v) for i, v in enumerate(value))
        else:
            yield name, value


def save_checkpoint(model, path):
    path.mkdir(parents=True, exist_ok=True)
    for old in path.iterdir():
        old.unlink()
    model.save_pretrained(path)
    (path / "generation_config.json").unlink(missing_ok=True)


def key_in_file(name, saved):
    """The key of a parameter: files of GPT-NeoX call the head as releases before version 5 did."""
    return "embed_out.weight" if name == "lm_head.weight" and "embed_out.weight" in saved else name


EXPERT = re.compile(r"(.*)\.(block_sparse_moe|mlp)\.experts\.(\d+)\.(w1|w2|w3|gate_proj|up_proj|down_proj)\.weight")


VIT = (
    (r"encoder\.layer\.", "layers."), (r"attention\.attention\.(query|key|value)", lambda m: f"attention.{m[1][0]}_proj"),
    (r"attention\.output\.dense", "attention.o_proj"), (r"intermediate\.dense", "mlp.fc1"), (r"output\.dense", "mlp.fc2"),
)


def key_in_model(kind, key):
    """What a model calls what its file calls otherwise."""
    if not kind.startswith(("ViT", "VisionEncoderDecoder")):
        return key.replace(".block_sparse_moe.", ".mlp.")
    for pattern, replacement in VIT:
        key = re.sub(pattern, replacement, key)
    return key


def expert_piece(key, tensor_of):
    """Where a file's tensor of one expert lies in the tensor of all that a model has; None for other keys."""
    found = EXPERT.fullmatch(key)
    if not found:
        return None
    layer, _, expert, part = found.groups()
    if part in ("w2", "down_proj"):
        return tensor_of(f"{layer}.mlp.experts.down_proj")[int(expert)]
    both = tensor_of(f"{layer}.mlp.experts.gate_up_proj")[int(expert)]
    return both.chunk(2)[0 if part in ("w1", "gate_proj") else 1]


def reload(kind, path, saved):
    """The saved model; what the file lacks must be tied to what it holds, or be a table that is computed."""
    config = kind.config_class.from_pretrained(path, attn_implementation="eager")
    config._experts_implementation = "eager"
    model = kind(config).eval()
    names = dict(model.named_parameters(remove_duplicate=False))
    experts = {key for key in saved if EXPERT.fullmatch(key)}
    with torch.no_grad():
        for key in experts:
            expert_piece(key, names.get).copy_(saved[key])
    saved = {key_in_model(kind.__name__, key): saved[key] for key in saved.keys() - experts}
    in_file = {key_in_file(name, saved): name for name in names}
    named = {in_file.get(key, key): value for key, value in saved.items()}
    held = {id(names[name]) for name in named if name in names}
    missing, unexpected = model.load_state_dict(named, strict=False)
    lost = [name for name in missing if id(names[name]) not in held and names[name].requires_grad and not (experts and ".experts." in name)]
    assert not lost and not unexpected, (lost, unexpected)
    return model


def saved_names(model, saved):
    """The name in the file of every parameter: of names that are tied, the file holds one."""
    held = {}
    in_model = {key_in_model(type(model).__name__, key): key for key in saved}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        if (key := key_in_file(name, saved)) in in_model:
            held[id(parameter)] = in_model[key]
    trained = {id(p): p for p in model.parameters() if p.requires_grad}
    return {held[key]: parameter for key, parameter in trained.items() if key in held}


def forward(model, inputs):
    """Every output of one forward, by name, the loss of transformers among them."""
    call = {k: v for k, v in inputs.items() if not k.startswith("cotangent.")}
    outputs = model(**call, output_hidden_states=True, output_attentions=True, return_dict=True)
    return dict(flatten(outputs)), outputs.loss if "loss" in outputs else None


def record(name, kind, config, inputs, loss, *, random, init=None, change=None, run=forward, extra=None, note=None):
    """
    Writes packages/parity/goldens/<name>.

    `inputs` go to `run`; `loss` is a sentence that says what `run` gives as such, or a pair of a
    sentence and a function of the outputs. `init` changes what is saved; `change` what no file holds, such as a
    table of sines, and is applied again to what was loaded. `extra` adds outputs; `note` gives, of the model in float64,
    what else `expected.json` holds.
    """
    if only and name not in only:
        return
    path = folder / name
    model = kind(config).eval()
    fill(model, random)
    for step in (init, change):
        if step:
            step(model)
    save_checkpoint(model, path)
    saved = load_file(path / "model.safetensors")
    single = reload(kind, path, saved)
    if change:
        change(single)
    with torch.no_grad():
        rough, _ = run(single, inputs)
    with double_precision():
        model = reload(kind, path, saved)
        if change:
            change(model)
        tensors, value = run(model, inputs)
        if extra:
            tensors |= extra(tensors, inputs)
        if not isinstance(loss, str):
            loss, value = loss[0], loss[1](tensors, inputs)
        value.backward()
    more = note(model) if note else {}
    masks = {
        "tokens": inputs.get("attention_mask"),
        "decoder": inputs.get("decoder_attention_mask", inputs.get("attention_mask")),
        "decoder_outputs": ("logits",) if "decoder_input_ids" in inputs else (),
    }
    names = saved_names(model, saved)
    expected = {f"inputs.{k}": v for k, v in inputs.items()}
    for key, tensor in tensors.items():
        expected[f"outputs.{key}"] = clear_padding(key, tensor, masks)
        if key in rough:
            error = (clear_padding(key, rough[key], masks) - expected[f"outputs.{key}"]).abs().max()
            assert error < 1e-4 * max(1, tensor.abs().max()), (name, key, error)
    expected["loss"] = value
    expected |= {
        f"gradients.{k}": p.grad if p.grad is not None else torch.zeros_like(p) for k, p in names.items()
    }
    parameters = dict(model.named_parameters())
    experts = {key: expert_piece(key, lambda name: parameters[name].grad) for key in saved}
    expected |= {f"gradients.{key}": gradient for key, gradient in experts.items() if gradient is not None}
    buffers = sorted(key for key in saved.keys() - names.keys() if experts[key] is None)
    write(path, kind, loss, expected, buffers, more)


def write(path, kind, loss, expected, buffers, more={}):
    def plain(t):
        t = t.detach().contiguous()
        return t.float() if t.is_floating_point() else t.int()

    tensors = {k: plain(v).clone() for k, v in expected.items()}
    assert all(t.isfinite().all() for t in tensors.values()), path.name
    save_file(tensors, path / "expected.safetensors")
    note = {
        "source": "transformers",
        "version": transformers.__version__,
        "torch": torch.__version__,
        "script": f"tools/goldens/transformers/{Path(sys.argv[0]).name}",
        "class": kind.__name__,
        "loss": loss,
        "buffers": buffers,
        **more,
    }
    (path / "expected.json").write_text(json.dumps(note, indent=2, ensure_ascii=False) + "\n")
    size = (path / "model.safetensors").stat().st_size
    whole = sum(f.stat().st_size for f in path.iterdir())
    assert size <= 300_000, (path.name, size)
    print(f"{path.name}: {size} bytes, with what is expected {whole}; loss {expected['loss'].item():.6f}")
