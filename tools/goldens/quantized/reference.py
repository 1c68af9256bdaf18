"""Compares what make.py packs with the code of AutoGPTQ, AutoAWQ, transformers and bitsandbytes; run by hand:

    pip download --no-deps --no-binary :all: --no-build-isolation auto-gptq==0.7.1 autoawq==0.2.9
    pip install --no-deps bitsandbytes==0.50.2
    for file in *.tar.gz; do tar xzf $file; done
    python reference.py auto_gptq-0.7.1 autoawq-0.2.9
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import torch
from bitsandbytes.functional import int8_vectorwise_dequant, int8_vectorwise_quant
from make import awq, fp8, gptq, int8, levels_of
from transformers.integrations.finegrained_fp8 import Fp8Dequantize

auto_gptq, auto_awq = map(Path, sys.argv[1:3])


def module(path: Path):
    """One file of a package, whose others need kernels of a GPU."""
    spec = spec_from_file_location(path.stem, path)
    loaded = module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


layer = module(auto_gptq / "auto_gptq/nn_modules/qlinear/qlinear_cuda.py").QuantLinear
unpack = module(auto_awq / "awq/utils/packing_utils.py").dequantize_gemm
torch.manual_seed(0)
weight = (torch.randn(64, 96) * 0.3).half().float()

for group, act in ((32, False), (-1, False), (32, True)):
    parts, values = gptq(weight, group, act, v2=False)
    _, scales, zeros, _ = levels_of(weight, parts["g_idx"].long(), 1)
    linear = torch.nn.Linear(96, 64, bias=False)
    linear.weight.data = values.clone()
    theirs = layer(4, group, 96, 64, False)
    theirs.pack(linear, scales.float().t(), zeros.float().t(), parts["g_idx"])
    assert torch.equal(theirs.qweight, parts["qweight"]) and torch.equal(theirs.qzeros, parts["qzeros"])
    theirs.scales = parts["scales"].float()
    assert torch.equal(theirs(torch.eye(96)).t(), values)

parts, values = awq(weight, 32)
assert torch.equal(unpack(parts["qweight"], parts["qzeros"], parts["scales"].float(), 4, 32).t(), values)

for block in ([16, 32], None):
    parts, values = fp8(weight, block)
    scales = parts["weight_scale_inv"] if block else parts["weight_scale"].reshape(1, 1)
    assert torch.equal(Fp8Dequantize(None)._dequantize_one(parts["weight"], scales, torch.float32), values)

parts, values = int8(weight)
levels, scales, _ = int8_vectorwise_quant(weight.half())
assert torch.equal(levels, parts["weight"]) and torch.equal(scales, parts["SCB"])
assert torch.equal(int8_vectorwise_dequant(levels, scales), values)
print("the same words and values")
