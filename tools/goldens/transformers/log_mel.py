"""Log-mel features of a few sounds by WhisperFeatureExtractor: in float64 by its NumPy transform, which its torch one is near."""

import sys
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors.numpy import save_file
from transformers import WhisperFeatureExtractor

RATE = 16_000
random = np.random.default_rng(62)


def sixteen_bits(samples):
    return np.clip(np.round(samples * 32767), -32768, 32767).astype(np.int16)


def gliding():
    """A voice that glides from 110 to 260 Hz, with harmonics, over a little noise."""
    t = np.arange(int(0.9 * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(110 + 150 * t / 0.9) / RATE
    voice = sum(np.sin(k * phase) / k for k in range(1, 12))
    return 0.15 * voice * np.sin(np.pi * t / 0.9) + 0.002 * random.standard_normal(len(t))


def tone():
    """Loud and pure, then silence: nearly all of it lies below what is cut off."""
    return 0.9 * np.sin(2 * np.pi * 440 * np.arange(int(0.3 * RATE)) / RATE)


def bursts():
    """Noise that comes and goes, longer than what is read."""
    t = np.arange(int(1.4 * RATE)) / RATE
    return 0.2 * random.standard_normal(len(t)) * (np.sin(2 * np.pi * 5 * t) > 0)


sounds = {"gliding": sixteen_bits(gliding()), "tone": sixteen_bits(tone()), "bursts": sixteen_bits(bursts())}
tensors = {f"sounds.{name}": samples for name, samples in sounds.items()}
tensors["sounds.silence"] = np.zeros(1000, np.int16)


def features(samples, **options):
    """`[T, M]`."""
    extractor = WhisperFeatureExtractor(**options)
    sound = samples.astype(np.float32) / 32768
    padded = np.zeros(extractor.n_samples, np.float32)
    padded[: min(len(sound), len(padded))] = sound[: len(padded)]
    exact = extractor._np_extract_fbank_features(padded[None].astype(np.float64), "cpu")[0].astype(np.float32)
    given = extractor(sound, sampling_rate=RATE)["input_features"][0]
    error = np.abs(exact - given).max()
    assert error < 1e-4, error
    print(options, f"torch's transform is within {error:.1e}")
    return np.ascontiguousarray(exact.T)


for name in ("tone", "bursts", "silence"):
    tensors[f"features.{name}.80"] = features(tensors[f"sounds.{name}"], chunk_length=1)
tensors["features.gliding.128"] = features(sounds["gliding"], chunk_length=1, feature_size=128)
# All frames behind these are as the last.
whole = features(sounds["gliding"])
assert (whole[93:] == whole[93]).all()
tensors["features.gliding.whole"] = np.ascontiguousarray(whole[:94])
# Another window, which is no whole number of hops more than the default is.
tensors["features.bursts.small"] = features(sounds["bursts"], chunk_length=1, feature_size=20, n_fft=256, hop_length=100)
meta = {"source": "transformers", "version": transformers.__version__, "script": "tools/goldens/transformers/log_mel.py"}
Path(sys.argv[1]).parent.mkdir(parents=True, exist_ok=True)
save_file(tensors, sys.argv[1], meta)
