"""Philox 4x32-10 of randomgen, and the uniform and normal numbers that follow from its words, computed in float64."""

import json
import sys
from importlib.metadata import version

import numpy as np
from randomgen import Philox
from scipy import stats

COUNT = 203


def words_of(key: int, count: int) -> np.ndarray:
    # The generator counts up before it draws.
    raw = Philox(key=key, counter=2**128 - 1, number=4, width=32).random_raw(4 * (count // 4 + 1))
    return np.asarray(raw, dtype=np.uint64)


def uniform(words: np.ndarray, limit: float) -> np.ndarray:
    return (words >> 8).astype(np.float64) / 2**23 * limit - limit


def normal(words: np.ndarray, std: float) -> np.ndarray:
    m = (words >> 8).astype(np.float64)
    radius = std * np.sqrt(-2 * np.log((m[0::2] + 1) / 2**24))
    angle = 2 * np.pi * m[1::2] / 2**24
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1).ravel()


def main(out: str) -> None:
    cases = []
    for low, high, limit, std in [(0, 0, 1.0, 1.0), (0x243F6A88, 0xA4093822, 0.125, 0.02), (0xFFFFFFFF, 0xFFFFFFFF, 0.1, 3.7)]:
        words = words_of(low | high << 32, COUNT)
        cases.append(
            {
                "key": [low, high],
                "words": [int(word) for word in words[:12]],
                "limit": limit,
                "uniform": uniform(words, limit)[:COUNT].tolist(),
                "std": std,
                "normal": normal(words, std)[:COUNT].tolist(),
            }
        )
    shares = [1e-4, 1e-3, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999]
    golden = {
        "source": "randomgen, numpy, scipy",
        "version": ", ".join(version(name) for name in ["randomgen", "numpy", "scipy"]),
        "script": "tools/goldens/random/make.py",
        "cases": cases,
        "quantiles": [[share, float(stats.norm.ppf(share))] for share in shares],
    }
    with open(out, "w", encoding="utf-8") as file:
        json.dump(golden, file)
        file.write("\n")


main(sys.argv[1])
