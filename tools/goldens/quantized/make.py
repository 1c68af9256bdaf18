"""Tiny llamas quantised by GPTQ, AWQ, FP8 and bitsandbytes: their files, the SHA-256 of each matrix dequantised, and transformers' scores with those values.

Packed here by the layouts that AutoGPTQ, AutoAWQ, transformers and bitsandbytes publish; `reference.py` compares with what their own code packs and unpacks.
"""

import base64
import hashlib
import json
import sys
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors.torch import save
from transformers import LlamaConfig, LlamaForCausalLM

CONFIG = {
    "vocab_size": 40, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 1, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 32, "bos_token_id": None, "eos_token_id": None, "pad_token_id": None,
}  # fmt: skip
IDS = [1, 5, 2, 9, 3, 0, 39, 17]
AWQ_ORDER = [0, 2, 4, 6, 1, 3, 5, 7]


def words(levels: torch.Tensor) -> torch.Tensor:
    """Eight levels of the last axis in an int32, the first in the lowest bits."""
    eight = levels.reshape(*levels.shape[:-1], -1, 8).to(torch.int64)
    return (eight << (4 * torch.arange(8))).sum(-1).to(torch.int32)


def in_awq_order(levels: torch.Tensor) -> torch.Tensor:
    return levels.reshape(*levels.shape[:-1], -1, 8)[..., AWQ_ORDER].reshape(levels.shape)


def levels_of(w: torch.Tensor, groups: torch.Tensor, lowest: int):
    """Levels `[In, Out]`, scales (f16) and zero points `[Groups, Out]` of `[Out, In]` with the group of each input."""
    count = int(groups.max()) + 1
    rows = [w[:, groups == g] for g in range(count)]
    low = torch.stack([torch.clamp(r.amin(1), max=0) for r in rows])
    high = torch.stack([torch.clamp(r.amax(1), min=0) for r in rows])
    scales = ((high - low) / 15).half()
    zeros = torch.clamp(torch.round(-low / scales.float()), lowest, 15)
    levels = torch.clamp(torch.round(w.t() / scales.float()[groups] + zeros[groups]), 0, 15)
    values = scales.float()[groups] * (levels - zeros[groups])
    return levels.to(torch.int64), scales, zeros.to(torch.int64), values.t().contiguous()


def gptq(w: torch.Tensor, group: int, act: bool, v2: bool):
    inner = w.shape[1]
    size = inner if group == -1 else group
    groups = torch.arange(inner) // size
    if act:
        groups = groups[torch.randperm(inner, generator=torch.Generator().manual_seed(inner))]
    levels, scales, zeros, values = levels_of(w, groups, 0 if v2 else 1)
    parts = {
        "qweight": words(levels.t()).t().contiguous(),
        "qzeros": words(zeros if v2 else zeros - 1),
        "scales": scales,
        "g_idx": groups.to(torch.int32),
    }
    return parts, values


def awq(w: torch.Tensor, group: int):
    levels, scales, zeros, values = levels_of(w, torch.arange(w.shape[1]) // group, 0)
    return {"qweight": words(in_awq_order(levels)), "qzeros": words(in_awq_order(zeros)), "scales": scales}, values


def fp8(w: torch.Tensor, block: list[int] | None):
    high, wide = block or w.shape
    rows, columns = -(-w.shape[0] // high), -(-w.shape[1] // wide)
    scales = torch.zeros(rows, columns)
    for r in range(rows):
        for c in range(columns):
            scales[r, c] = w[r * high : (r + 1) * high, c * wide : (c + 1) * wide].abs().max() / 448
    whole = scales.repeat_interleave(high, 0)[: w.shape[0]].repeat_interleave(wide, 1)[:, : w.shape[1]]
    q = (w / whole).to(torch.float8_e4m3fn)
    parts = {"weight": q, "weight_scale_inv" if block else "weight_scale": scales if block else scales[0, 0]}
    if not block:
        parts["input_scale"] = torch.tensor(0.5)
    return parts, q.float() * whole


def int8(w: torch.Tensor):
    largest = w.abs().amax(1)
    q = torch.round(w * (127 / largest[:, None])).to(torch.int8)
    parts = {"weight": q, "SCB": largest, "weight_format": torch.tensor(0, dtype=torch.uint8)}
    return parts, q * largest[:, None] * 7.874015718698502e-3


CASES = {
    "gptq": ({"quant_method": "gptq", "bits": 4, "group_size": 32, "desc_act": False, "sym": False}, lambda w: gptq(w, 32, False, False)),
    "gptq v2, all inputs in a group": (
        {"quant_method": "gptq", "bits": 4, "group_size": -1, "desc_act": True, "checkpoint_format": "gptq_v2"},
        lambda w: gptq(w, -1, False, True),
    ),
    "gptq, inputs in the order of activations": (
        {"quant_method": "gptq", "bits": 4, "group_size": 32, "desc_act": True},
        lambda w: gptq(w, 32, True, False),
    ),
    "awq": ({"quant_method": "awq", "bits": 4, "group_size": 32, "zero_point": True, "version": "gemm"}, lambda w: awq(w, 32)),
    "fp8, blocks": (
        {"quant_method": "fp8", "activation_scheme": "dynamic", "fmt": "e4m3", "weight_block_size": [24, 40]},
        lambda w: fp8(w, [24, 40]),
    ),
    "fp8, one scale": ({"quant_method": "fp8", "activation_scheme": "static"}, lambda w: fp8(w, None)),
    "bitsandbytes": ({"quant_method": "bitsandbytes", "load_in_8bit": True, "load_in_4bit": False}, int8),
}  # fmt: skip


def case(quantization: dict, quantize) -> dict:
    torch.manual_seed(3)
    model = LlamaForCausalLM(LlamaConfig(**CONFIG, attn_implementation="eager")).eval()
    tensors, digests = {}, {}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            # Matrices that tell scores apart, in the range of trained ones.
            parameter.copy_((parameter * (10 if parameter.ndim == 2 else 1)).half().float())
            if not name.endswith("proj.weight"):
                tensors[name] = parameter.half()
                continue
            parts, values = quantize(parameter.data)
            for part, tensor in parts.items():
                tensors[f"{name.removesuffix('.weight')}.{part}"] = tensor.contiguous()
            digests[name] = hashlib.sha256(values.numpy().astype("<f4").tobytes()).hexdigest()
            parameter.copy_(values)
        logits = model(torch.tensor([IDS])).logits[0]
    return {
        "config": {"model_type": "llama", **CONFIG, "quantization_config": quantization},
        "file": base64.b64encode(save(tensors)).decode(),
        "digests": digests,
        "logits": [float(f"{value:.9g}") for value in logits.flatten().tolist()],
    }


if __name__ == "__main__":
    golden = {
        "source": f"transformers {version('transformers')}, torch {version('torch')}",
        "script": "tools/goldens/quantized/make.py",
        "ids": IDS,
        "cases": {name: case(*given) for name, given in CASES.items()},
    }
    path = Path(sys.argv[1])
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(f"{path.name}: {len(CASES)} cases, {path.stat().st_size} bytes")
