"""Scores after the rules of Whisper's timestamps, with suppressed tokens before them, as its `generate` orders the two."""

import json
import sys
from types import SimpleNamespace

import torch
import transformers
from golden import generator
from transformers.generation.logits_process import (
    SuppressTokensAtBeginLogitsProcessor, SuppressTokensLogitsProcessor, WhisperTimeStampLogitsProcessor,
)

VOCABULARY, END, NO_TIMESTAMPS = 24, 10, 14
START = [11, 12, 13]
SUPPRESSED, AT_BEGIN = [2, 5, 12, 13], [1, END]
random = generator("timestamps")


def case(tokens, latest, bias):
    scores = torch.randn((1, VOCABULARY), generator=random) * 2
    scores[:, NO_TIMESTAMPS + 1 :] += bias
    config = SimpleNamespace(
        no_timestamps_token_id=NO_TIMESTAMPS, eos_token_id=END, bos_token_id=END, max_initial_timestamp_index=latest,
    )
    processors = [
        SuppressTokensAtBeginLogitsProcessor(AT_BEGIN, len(START)), SuppressTokensLogitsProcessor(SUPPRESSED),
        WhisperTimeStampLogitsProcessor(config, begin_index=len(START)),
    ]
    sequence = START + tokens
    processed = scores
    for processor in processors:
        processed = processor(torch.tensor([sequence]), processed)
    return {
        "sequence": sequence,
        **({} if latest is None else {"latestFirst": latest}),
        "scores": scores[0].tolist(),
        "expected": [None if x == -float("inf") else x for x in processed[0].tolist()],
    }


T = NO_TIMESTAMPS + 1
sequences = [
    [], [T], [T, 3], [T + 2], [T, 3, 4, T + 3], [T, 3, T + 3, T + 3], [T, 3, T + 3, T + 3, 6], [T, 3, T + 8], [3], [3, 4],
    [T, 3, T + 3, T + 3, 7, T + 5], [T, 3, T + 3, T + 4],
]
cases = [
    case(tokens, latest, bias)
    for tokens in sequences
    for latest, bias in ((None, 0.0), (2, -3.0), (0, 2.0))
]
note = {"source": "transformers", "version": transformers.__version__, "script": "tools/goldens/transformers/timestamps.py"}
rules = {
    "begin": len(START), "noTimestampsId": NO_TIMESTAMPS, "endId": END, "suppressIds": SUPPRESSED, "beginSuppressIds": AT_BEGIN,
}
with open(sys.argv[2], "w") as file:
    json.dump({**note, "rules": rules, "cases": cases}, file)
    file.write("\n")
