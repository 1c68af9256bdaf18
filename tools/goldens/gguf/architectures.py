"""Tiny models: what llama.cpp's own converter makes of them, and transformers' scores of the next tokens."""

import base64
import hashlib
import json
import logging
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

source, release, out = sys.argv[1:4]
sys.path.insert(0, source)
sys.path.insert(0, str(Path(source) / "gguf-py"))

import gguf  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from conversion import get_model_class  # noqa: E402
from conversion.base import ModelBase  # noqa: E402
from transformers import AutoConfig, AutoModelForCausalLM  # noqa: E402

logging.disable(logging.WARNING)

sizes = {
    "vocab_size": 40, "hidden_size": 24, "intermediate_size": 28, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 64, "bos_token_id": None, "eos_token_id": None, "pad_token_id": None,
}  # fmt: skip
rope = {"rope_type": "default", "rope_theta": 10000.0}
neox = {key: size for key, size in {**sizes, "hidden_size": 32}.items() if key != "num_key_value_heads"}
gemmas = {**sizes, "head_dim": 8, "query_pre_attn_scalar": 8, "sliding_window": 5}
long = {"rope_type": "longrope", "rope_theta": 10000.0, "long_factor": [1.5, 2.25, 4.0], "short_factor": [1.0, 1.25, 1.5]}
CONFIGS = {
    "gpt2": {"model_type": "gpt2", "vocab_size": 40, "n_embd": 24, "n_layer": 2, "n_head": 4, "n_positions": 64},
    "bloom": {"model_type": "bloom", "vocab_size": 40, "hidden_size": 24, "n_layer": 2, "n_head": 4, "seq_length": 64},
    "falcon": {"model_type": "falcon", **sizes, "multi_query": True, "num_kv_heads": 1},
    "falcon-grouped": {"model_type": "falcon", **sizes, "new_decoder_architecture": True, "num_kv_heads": 2},
    "llama": {"model_type": "llama", **sizes},
    "llama-biases": {"model_type": "llama", **sizes, "attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True},
    "llama3": {"model_type": "llama", **sizes, "rope_parameters": {
        "rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 16}},
    "llama-linear": {"model_type": "llama", **sizes, "rope_parameters": {**rope, "rope_type": "linear", "factor": 2.0}},
    "llama-yarn": {"model_type": "llama", **sizes, "rope_parameters": {
        **rope, "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}},
    "mistral": {"model_type": "mistral", **sizes, "head_dim": 8, "sliding_window": None},
    "qwen2": {"model_type": "qwen2", **sizes},
    "qwen3": {"model_type": "qwen3", **sizes, "head_dim": 8},
    "gemma": {"model_type": "gemma", **sizes, "head_dim": 8, "hidden_act": "gelu_pytorch_tanh"},
    "gemma2": {"model_type": "gemma2", **gemmas, "attn_logit_softcapping": 2.0, "final_logit_softcapping": 3.0},
    "gemma3": {"model_type": "gemma3_text", **gemmas, "num_hidden_layers": 6, "rope_parameters": {
        "full_attention": {"rope_type": "linear", "rope_theta": 1000000.0, "factor": 4.0},
        "sliding_attention": rope}},
    "smollm3": {"model_type": "smollm3", **sizes, "num_hidden_layers": 4, "rope_parameters": {**rope, "rope_theta": 2000000.0}},
    "granite": {"model_type": "granite", **sizes, "attention_multiplier": 0.3, "embedding_multiplier": 1.5,
        "residual_multiplier": 0.7, "logits_scaling": 1.25},
    "phi": {"model_type": "phi", **sizes, "num_key_value_heads": 4, "intermediate_size": 96, "hidden_act": "gelu_new",
        "rope_parameters": {**rope, "partial_rotary_factor": 0.5}, "hidden_size": 32, "intermediate_size": 128},
    "phi3": {"model_type": "phi3", **sizes, "sliding_window": None, "original_max_position_embeddings": 64,
        "rope_parameters": {**rope, "original_max_position_embeddings": 64}},
    "phi3-longrope": {"model_type": "phi3", **sizes, "sliding_window": None, "original_max_position_embeddings": 8,
        "rope_parameters": {**long, "original_max_position_embeddings": 8}},
    "gpt_neox": {"model_type": "gpt_neox", **neox, "rotary_pct": 0.5, "rope_parameters": {
        **rope, "partial_rotary_factor": 0.5}},
    "gpt_neox-sequential": {"model_type": "gpt_neox", **neox, "rotary_pct": 0.25,
        "use_parallel_residual": False, "rope_parameters": {**rope, "partial_rotary_factor": 0.25}},
    "stablelm": {"model_type": "stablelm", **sizes, "hidden_size": 32, "use_qkv_bias": True, "rope_parameters": {
        **rope, "partial_rotary_factor": 0.25}},
    "stablelm-parallel": {"model_type": "stablelm", **sizes, "hidden_size": 32, "use_parallel_residual": True,
        "rope_parameters": {**rope, "partial_rotary_factor": 0.5}},
    "starcoder2": {"model_type": "starcoder2", **sizes, "sliding_window": None, "use_bias": True},
    "olmo2": {"model_type": "olmo2", **sizes},
    "olmo3": {"model_type": "olmo3", **sizes, "num_hidden_layers": 4, "sliding_window": 5},
}  # fmt: skip

IDS = [1, 5, 2, 39, 3, 8, 7, 4, 6, 10, 11, 3]
# Of the file, not of the model.
LEFT_OUT = ("general.name", "general.size_label", "general.basename", "GGUF.", "tokenizer.", "general.sampling.")


def filled(key: str, shape: torch.Size) -> torch.Tensor:
    """Values that a test can make again: of 211 steps, shifted by the length of the key."""
    count = int(np.prod(shape))
    steps = (np.arange(count, dtype=np.int64) * 7919 + 31 * len(key)) % 211 - 105
    return torch.from_numpy((steps / 512).astype(np.float32).reshape(tuple(shape)))


def convert(folder: Path, path: Path) -> None:
    """With keys that the converter still reads where transformers 5 writes others, and a count of tokens."""
    config = json.loads((folder / "config.json").read_text())
    vocab = {str(i): i for i in range(config["vocab_size"])}
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocab}, "added_tokens": []}))
    hparams = ModelBase.load_hparams(folder, False)
    kind = get_model_class(hparams["architectures"][0])
    model = kind(folder, gguf.LlamaFileType.ALL_F32, path)
    if config["model_type"] == "gpt_neox":
        model.hparams["rotary_pct"] = config["rope_parameters"]["partial_rotary_factor"]
    elif config["model_type"] == "gpt2":
        model.hparams["n_ctx"] = config["n_positions"]
    # These models have no tokenizer.
    model.set_vocab = lambda: None
    model.write()


def value(field):
    contents = field.contents()
    return contents.item() if isinstance(contents, np.generic) else contents


def described(path: Path) -> dict:
    reader = gguf.GGUFReader(path)
    digest = lambda data: hashlib.sha256(np.ascontiguousarray(data).astype(np.float32).tobytes()).hexdigest()[:16]  # noqa: E731
    return {
        "metadata": {key: value(field) for key, field in reader.fields.items() if not key.startswith(LEFT_OUT)},
        "tensors": {
            # Computed ones are compared as numbers.
            tensor.name: [
                [int(size) for size in reversed(tensor.shape)],
                [float(x) for x in tensor.data] if tensor.name.startswith("rope_") else digest(tensor.data),
            ]
            for tensor in reader.tensors
        },
    }


models = {}
with tempfile.TemporaryDirectory() as work:
    for name, given in CONFIGS.items():
        config = AutoConfig.for_model(**given)
        model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
        parameters = dict(model.named_parameters())
        with torch.no_grad():
            for key, parameter in parameters.items():
                parameter.copy_(filled(key, parameter.shape))
            logits = model(torch.tensor([IDS])).logits[0]
        folder = Path(work) / name
        model.save_pretrained(folder)
        saved = json.loads((folder / "config.json").read_text())
        path = Path(work) / f"{name}.gguf"
        convert(folder, path)
        models[name] = {
            "config": saved,
            "parameters": {key: list(parameter.shape) for key, parameter in parameters.items()},
            "logits": base64.b64encode(logits.numpy().tobytes()).decode(),
            **described(path),
        }
        print(name, flush=True)
Path(out).write_text(
    json.dumps(
        {
            "source": f"{release}, transformers {version('transformers')}",
            "script": "tools/goldens/gguf/architectures.py",
            "ids": IDS,
            "models": models,
        }
    )
    + "\n"
)
