"""What Whisper's own `generate` writes of the sounds of the golden `whisper`: with a language and a task, suppressed tokens, and times or none."""

import json
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file
from transformers import WhisperForConditionalGeneration

folder = Path(sys.argv[1]) / "whisper"
features = load_file(folder / "expected.safetensors")["inputs.input_features"].double()
SETTINGS = dict(
    decoder_start_token_id=2, eos_token_id=20, pad_token_id=1, is_multilingual=True, lang_to_id={"<|en|>": 21, "<|fr|>": 22},
    task_to_id={"transcribe": 23, "translate": 24}, no_timestamps_token_id=30, max_initial_timestamp_index=5,
    suppress_tokens=[3, 4, 21, 22, 23, 24, 25, 27, 28, 29], begin_suppress_tokens=[5, 20],
)


def write(**options):
    """The tokens behind those that a text begins with, of each sound, in float64."""
    model = WhisperForConditionalGeneration.from_pretrained(folder).double().eval()
    for key, value in SETTINGS.items():
        setattr(model.generation_config, key, value)
    rows = []
    for sound in features:
        with torch.no_grad():
            made = model.generate(sound[None], max_new_tokens=14, force_unique_generate_call=True, **options)
        rows.append([id for id in made[0].tolist() if id != SETTINGS["pad_token_id"]])
    return rows


cases = []
for language, task, timestamps in (("fr", "translate", True), ("en", "transcribe", False), ("en", "transcribe", True)):
    start = [2, SETTINGS["lang_to_id"][f"<|{language}|>"], SETTINGS["task_to_id"][task]] + ([] if timestamps else [30])
    rows = write(language=language, task=task, return_timestamps=timestamps)
    rows = [row[len(start) :] if row[: len(start)] == start else row for row in rows]
    # What ends a text is not of it.
    tokens = [row[: row.index(20)] if 20 in row else row for row in rows]
    cases.append({"startIds": start, "timestamps": timestamps, "tokens": tokens})

note = {"source": "transformers", "version": transformers.__version__, "script": "tools/goldens/transformers/speech_generation.py"}
kept = ("eos_token_id", "no_timestamps_token_id", "max_initial_timestamp_index", "suppress_tokens", "begin_suppress_tokens")
with open(sys.argv[2], "w") as file:
    json.dump({**note, "settings": {key: SETTINGS[key] for key in kept}, "maxNewTokens": 14, "cases": cases}, file)
    file.write("\n")
print(cases)
