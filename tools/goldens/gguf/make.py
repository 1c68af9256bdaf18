"""A GGUF file of PyPI's `gguf`, and blocks quantised by ggml's own reference functions."""

import base64
import ctypes
import json
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import gguf
import numpy as np


def text(data) -> str:
    return base64.b64encode(bytes(data)).decode()


def values(count: int) -> np.ndarray:
    """Normal values with outliers, a block of zeros, one of equal values, a positive one and ties of Q8_0."""
    x = np.random.default_rng(7).normal(0, 0.05, count).astype(np.float32)
    x[::97] *= 20
    x[256:288] = 0
    x[288:320] = 0.25
    x[320:352] = np.abs(x[320:352]) + 1
    x[352:384] = -np.abs(x[352:384]) - 1
    x[384:416] = np.arange(32) - 16.5
    x[384] = 127
    return x


def q4_k(library: str, x: np.ndarray) -> bytes:
    """`quantize_row_q4_K_ref` of ggml, whose PyPI package only dequantises this type."""
    ggml = ctypes.CDLL(library)
    out = np.zeros(x.size // 256 * 144, np.uint8)
    ggml.quantize_row_q4_K_ref(
        x.ctypes.data_as(ctypes.c_void_p), out.ctypes.data_as(ctypes.c_void_p), ctypes.c_int64(x.size)
    )
    return out.tobytes()


def file(x: np.ndarray) -> bytes:
    """Every kind of value that our files have, and a tensor of every type that this package quantises."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "golden.gguf"
        writer = gguf.GGUFWriter(path, "llama")
        writer.add_uint32("llama.block_count", 4294967295)
        writer.add_int32("an.int", -5)
        writer.add_float32("llama.attention.layer_norm_rms_epsilon", 1e-5)
        writer.add_bool("tokenizer.ggml.add_bos_token", True)
        writer.add_string("general.name", "Größe ▁🐋")
        writer.add_token_list(["a", "Ġb", "▁é"])
        writer.add_token_scores([0.0, -1.5, -10000.0])
        writer.add_token_types([1, 3, 6])
        writer.add_precompiled_charsmap(b"\x00\x7f\xff")
        matrix = x[:320].reshape(5, 64)
        for name, kind in (("f32", "F32"), ("f16", "F16"), ("q8_0", "Q8_0")):
            kind = getattr(gguf.GGMLQuantizationType, kind)
            writer.add_tensor(name, gguf.quants.quantize(matrix, kind), raw_dtype=kind)
        writer.add_tensor("bias", x[:3])
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path.read_bytes()


x = values(2048)
Path(sys.argv[3]).write_text(
    json.dumps(
        {
            "source": f"gguf {version('gguf')}, quantize_row_q4_K_ref of {sys.argv[2]}",
            "script": "tools/goldens/gguf/make.py",
            "values": text(x.tobytes()),
            "file": text(file(x)),
            "q8_0": text(gguf.quants.quantize(x, gguf.GGMLQuantizationType.Q8_0).tobytes()),
            "q4_k": text(q4_k(sys.argv[1], x)),
        }
    )
    + "\n"
)
