"""What Whisper's own `generate` writes of sounds, window after window: its segments with their times and tokens, with a language, a task and times or none."""

import json
import sys
from math import pi
from pathlib import Path

import numpy as np
import torch
import transformers
from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration
from transformers.models.whisper.tokenization_whisper import TO_LANGUAGE_CODE

folder = Path(sys.argv[1]) / "whisper"
RATE, WINDOW = 16_000, 2240
extractor = WhisperFeatureExtractor(feature_size=5)
# A window of 14 frames: half a minute of a small model.
extractor.n_samples = WINDOW
SETTINGS = dict(
    decoder_start_token_id=2, eos_token_id=20, pad_token_id=1, bos_token_id=0, is_multilingual=True, lang_to_id={"<|en|>": 21, "<|fr|>": 22},
    task_to_id={"transcribe": 23, "translate": 24}, no_timestamps_token_id=30, max_initial_timestamp_index=5, max_length=12,
    suppress_tokens=[3, 4, 21, 22, 23, 24, 25, 27, 28, 29], begin_suppress_tokens=[5, 20], prev_sot_token_id=26, return_timestamps=False,
    alignment_heads=[[0, 0]],
)


def sound(samples, low, high, beats):
    """A tone from one frequency to another, in hertz, whose loudness goes up and down."""
    i = np.arange(samples, dtype=np.float64)
    tone = np.sin(2 * pi * i * (low + (high - low) * i / samples / 2) / RATE)
    return (tone * (0.5 + 0.4 * np.sin(2 * pi * beats * i / RATE))).astype(np.float32)


def features(wave):
    """As the processor makes them: filled up to the window, or the whole sound where it is longer."""
    given = dict(sampling_rate=RATE, return_tensors="pt")
    if len(wave) > WINDOW:
        given.update(truncation=False, padding="longest")
    return extractor(wave, **given)["input_features"].double()


def model_of(changes):
    """The model in float64, with settings of generation; None takes one away."""
    model = WhisperForConditionalGeneration.from_pretrained(folder).double().eval()
    for key, value in {**SETTINGS, **changes}.items():
        if value is not None:
            setattr(model.generation_config, key, value)
    return model


def write(given, changes, options):
    with torch.no_grad():
        made = model_of(changes).generate(given, return_segments=True, **options)
    return [{"start": float(s["start"]), "end": float(s["end"]), "ids": s["tokens"].tolist()} for s in made["segments"][0]]


def case(number, changes={}, **options):
    """The segments, where features that are a little off give the same."""
    given = features(sound(*SOUNDS[number]))
    segments = write(given, changes, options)
    random = torch.Generator().manual_seed(1)
    for _ in range(3):
        off = given + 2e-4 * torch.randn(given.shape, generator=random, dtype=given.dtype)
        assert [s["ids"] for s in write(off, changes, options)] == [s["ids"] for s in segments], (number, options)
    made = {"sound": number, "changes": changes, "options": options, "segments": segments}
    print(number, changes, options, [(round(s["start"], 2), round(s["end"], 2), s["ids"]) for s in segments])
    if "language" not in {**changes, **options} and "is_multilingual" not in changes:
        made["language"] = model_of(changes).detect_language(given, num_segment_frames=14).item()
    return made


# Samples, two frequencies, and how often it is loud in a second.
SOUNDS = [[6774, 217, 1117, 14], [6177, 687, 1445, 59], [1500, 300, 900, 30], [2240, 1048, 4543, 57]]
ENGLISH = {"is_multilingual": False, "lang_to_id": None, "task_to_id": None, "forced_decoder_ids": [[1, 30]]}
FORCED = {"forced_decoder_ids": [[1, None], [2, 24], [3, 30]]}
times = {"return_timestamps": True}
WORDS = {"suppress_tokens": [*SETTINGS["suppress_tokens"], *range(31, 53)]}
cases = [
    case(0, **times), case(0, language="fr", task="translate", **times), case(1, **times), case(1, language="french", **times),
    case(1, {"max_length": 5}, **times), case(0, max_new_tokens=4, **times),
    *[case(2, **options) for options in ({}, times, {"language": "en"}, {"task": "translate"})], case(3), case(3, **times),
    *[case(2, changes, **options) for changes in (ENGLISH, FORCED) for options in ({}, times)],
    case(2, WORDS, language="en"), case(3, WORDS), case(3, FORCED, language="<|fr|>"), case(3, {"language": "fr", "task": "translate", "return_timestamps": True}),
]
note = {"source": "transformers", "version": transformers.__version__, "script": "tools/goldens/transformers/transcription.py"}
with open(sys.argv[2], "w") as file:
    json.dump({**note, "settings": SETTINGS, "sounds": SOUNDS, "languages": TO_LANGUAGE_CODE, "cases": cases}, file)
    file.write("\n")
