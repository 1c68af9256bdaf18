"""Tensors of every type that is read, and their values by PyPI's `gguf`."""

import base64
import json
import sys
from importlib.metadata import version
from pathlib import Path

import gguf
import numpy as np

# Where a block of a type has its halves.
HALVES = {
    "Q4_0": [0], "Q5_0": [0], "Q8_0": [0], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
    "Q4_1": [0, 2], "Q5_1": [0, 2], "IQ4_NL": [0],
}  # fmt: skip
TYPES = ["F32", "F16", "BF16", *HALVES]


def text(data) -> str:
    return base64.b64encode(bytes(data)).decode()


def blocks(name: str, rng: np.random.Generator) -> np.ndarray:
    """512 values of any bits; scales are finite, one is 0 and one subnormal."""
    size, width = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name]]
    if name in ("F32", "F16", "BF16"):
        values = rng.normal(0, 1, 512).astype(np.float32)
        values[:4] = [0, -0.0, 1, -65504]
        return gguf.quants.quantize(values, gguf.GGMLQuantizationType[name]).view(np.uint8)
    out = rng.integers(0, 256, (512 // size, width), dtype=np.uint8)
    scales = rng.normal(0, 0.1, (512 // size, 2)).astype(np.float16)
    scales[0, 0] = np.float16(-3e-7)
    scales[-1, 1] = 0
    for i, at in enumerate(HALVES[name]):
        out[:, at : at + 2] = scales[:, i : i + 1].view(np.uint8)
    return out.reshape(-1)


rng = np.random.default_rng(11)
tensors = {}
for name in TYPES:
    data = blocks(name, rng)
    values = gguf.quants.dequantize(data, gguf.GGMLQuantizationType[name]).astype(np.float32)
    tensors[name.lower()] = {"bytes": text(data), "values": text(values.tobytes())}
Path(sys.argv[1]).write_text(
    json.dumps(
        {
            "source": f"gguf {version('gguf')}",
            "script": "tools/goldens/gguf/dequantize.py",
            "tensors": tensors,
        }
    )
    + "\n"
)
