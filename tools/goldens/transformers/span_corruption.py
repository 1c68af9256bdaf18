"""T5's span corruption, written anew after transformers' example run_t5_mlm_flax.py, with NumPy's random numbers."""

import json
import sys
from pathlib import Path

import numpy as np

SIZE, EOS = 100, 1


def segments(count, parts, shuffle):
    starts = np.arange(count - 1) < parts - 1
    shuffle(starts)
    ids = np.cumsum(np.pad(starts, [[1, 0]]))
    return np.unique(ids, return_counts=True)[1]


def noise_mask(length, density, mean, shuffle):
    noise = min(max(int(np.round(length * density)), 1), length - 1)
    spans = max(int(np.round(min(noise, length - noise) / mean)), 1)
    noise_lengths = segments(noise, spans, shuffle)
    kept_lengths = segments(length - noise, spans, shuffle)
    interleaved = np.reshape(np.stack([kept_lengths, noise_lengths], axis=1), [spans * 2])
    starts = np.zeros(length, dtype=np.int8)
    starts[np.cumsum(interleaved)[:-1]] = True
    return np.cumsum(starts) % 2 == 1, int(noise), int(spans)


def sentinels(mask):
    mask = mask.astype(np.int8)[None]
    starts = mask - np.roll(mask, 1, axis=-1) * mask
    starts[:, 0] = mask[:, 0]
    ids = np.where(starts != 0, np.cumsum(starts, axis=-1), starts)
    return np.where(ids != 0, SIZE - ids, 0) - (mask - starts)


def filtered(ids, of):
    full = np.where(of != 0, of, ids[None])
    return full[full >= 0].tolist() + [EOS]


random = np.random.RandomState(5)
cases = []
for length, density, mean in [(2, 0.15, 3.0), (10, 0.15, 3.0), (17, 0.5, 2.0), (30, 0.15, 3.0), (50, 0.25, 3.0), (64, 0.9, 1.0)]:
    ids = random.randint(5, 60, length)
    mask, noise, spans = noise_mask(length, density, mean, random.shuffle)
    cases.append({
        "ids": ids.tolist(), "density": density, "meanLength": mean, "noise": noise, "spans": spans,
        "mask": mask.astype(int).tolist(), "source": filtered(ids, sentinels(mask)), "target": filtered(ids, sentinels(~mask)),
    })
note = {"source": "numpy", "version": np.__version__, "script": "tools/goldens/transformers/span_corruption.py",
        "firstSentinel": SIZE - 1, "endId": EOS, "cases": cases}
Path(sys.argv[1]).write_text(json.dumps(note) + "\n")
