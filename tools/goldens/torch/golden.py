"""Writes golden files: whole small tensors, computed in float64, with their source."""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import torch

torch.set_default_dtype(torch.float64)
packages = Path(sys.argv[1])


def values(tensor):
    """A tensor row-major, rounded to 9 significant digits, which float32 cannot tell apart."""
    return [float(f"{v:.9g}") for v in tensor.detach().double().flatten().tolist()]


def random(generator, *shape, scale=1.0):
    """Normal values that float32 holds exactly."""
    return (torch.randn(*shape, generator=generator) * scale).float().double()


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def write(package, name, script, cases, library="torch"):
    path = packages / package / "src" / "goldens" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    golden = {
        "source": library,
        "version": version(library),
        "script": f"tools/goldens/torch/{script}.py",
        "cases": cases,
    }
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(f"{path.name}: {len(cases)} cases, {path.stat().st_size} bytes")
