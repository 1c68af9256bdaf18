"""Files written by the reference implementation of safetensors, with what they hold."""

import base64
import json
import sys

import ml_dtypes
import numpy as np
import safetensors
from safetensors import TensorSpec, serialize

ROW = {  # one row of 3 elements of every type that the Python binding can write
    "bool": "BOOL",
    "uint8": "U8",
    "int8": "I8",
    "float8_e5m2": "F8_E5M2",
    "float8_e4m3fn": "F8_E4M3",
    "float8_e8m0fnu": "F8_E8M0",
    "float8_e4m3fnuz": "F8_E4M3FNUZ",
    "float8_e5m2fnuz": "F8_E5M2FNUZ",
    "int16": "I16",
    "uint16": "U16",
    "float16": "F16",
    "bfloat16": "BF16",
    "int32": "I32",
    "uint32": "U32",
    "float32": "F32",
    "complex64": "C64",
    "float64": "F64",
    "int64": "I64",
    "uint64": "U64",
}


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def write(name, arrays, metadata=None):
    """One file: `arrays` maps names to (header dtype, numpy array, dtype name of the binding)."""
    specs = {
        key: TensorSpec(
            dtype=binding, shape=list(array.shape), data_ptr=array.ctypes.data, data_len=array.nbytes
        )
        for key, (_, array, binding) in arrays.items()
    }
    return {
        "name": name,
        "file": text(serialize(specs, metadata)),
        "metadata": metadata or {},
        "tensors": {
            key: {
                "dtype": dtype,
                # Two F4 values share a byte: the header counts values, numpy bytes.
                "shape": [*array.shape[:-1], array.shape[-1] * 2] if dtype == "F4" else list(array.shape),
                "bytes": text(array.tobytes()),
            }
            for key, (dtype, array, _) in arrays.items()
        },
    }


def every_dtype():
    arrays = {}
    for index, (binding, dtype) in enumerate(ROW.items()):
        kind = np.dtype(getattr(ml_dtypes, binding, None) or binding)
        raw = np.arange(3 * kind.itemsize, dtype=np.uint8) * 7 + index
        raw = raw % 2 if dtype == "BOOL" else raw
        arrays[f"t{index}"] = (dtype, raw.astype(np.uint8).view(kind).reshape(1, 3), binding)
    arrays["packed"] = ("F4", np.arange(5, dtype=np.uint8), "float4_e2m1fn_x2")
    return arrays


def f32(*shape):
    count = int(np.prod(shape))
    return ("F32", (np.arange(count, dtype=np.float32) - 1.5).reshape(shape), "float32")


def floats(dtype, binding, bits):
    """Bit patterns of a narrow float with the same values in float32, widened by ml_dtypes."""
    kind = np.dtype(getattr(ml_dtypes, binding, None) or binding)
    values = bits.view(kind).astype(np.float32)
    return {"dtype": dtype, "bits": text(bits.tobytes()), "float32": text(values.tobytes())}


# Every 61st pattern of 16 bits, and those around zero, the subnormals, the infinities and the NaNs.
EDGES = [0, 1, 2, 0x3FF, 0x400, 0x7BFF, 0x7C00, 0x7C01, 0x7F7F, 0x7F80, 0x7F81, 0x7FFF]
SAMPLE = sorted({*range(0, 2**16, 61), *EDGES, *(edge | 0x8000 for edge in EDGES)})
SIXTEEN = np.array(SAMPLE, dtype=np.uint16)
EIGHT = np.arange(256, dtype=np.uint8)

golden = {
    "source": "safetensors (Python), ml_dtypes",
    "version": f"safetensors {safetensors.__version__}, ml_dtypes {ml_dtypes.__version__}",
    "script": "tools/goldens/safetensors/make.py",
    "files": [
        write("every dtype", every_dtype(), {"format": "pt"}),
        write("no tensor", {}),
        write("no tensor but metadata", {}, {"format": 'a "quoted"\tβ'}),
        write("a scalar and empty tensors", {"b": f32(), "a": f32(0), "c": f32(2, 0, 3)}),
        write(
            "names in the order of their bytes",
            {
                key: f32(2)
                for key in ["", "10", "9", "a.b", "a", "B", "é", "\uffff", "\U0001f600", '"\\/\b\f\n\r\t\x01\x7f\u2028']
            },
        ),
        write("a header that needs no padding", {"eleven_char": f32(1)}),
        write("a header that needs 7 bytes of padding", {"name": f32(1)}),
    ],
    "floats": [
        floats("F16", "float16", SIXTEEN),
        floats("BF16", "bfloat16", SIXTEEN),
        floats("F8_E4M3", "float8_e4m3fn", EIGHT),
        floats("F8_E5M2", "float8_e5m2", EIGHT),
    ],
}

with open(sys.argv[1], "w", encoding="utf-8") as out:
    json.dump(golden, out, indent=1)
    out.write("\n")
