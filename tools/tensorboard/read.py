"""
Reads event files with TensorBoard's own reader, and compares them with a run's history: read.py LOGS HISTORY RESULT
"""

import json
import sys
from pathlib import Path

import numpy as np
import tensorboard
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

logs, history, result = sys.argv[1:]
# Every event, without what a restart voids, as TensorBoard's server shows them.
events = EventAccumulator(logs, size_guidance={"scalars": 0}, purge_orphaned_data=True)
events.Reload()

expected = {}
for line in Path(history).read_text().splitlines():
    entry = json.loads(line)
    if "validation" in entry:
        expected.setdefault("validation/loss", {})[entry["step"]] = entry["validation"]["loss"]
    elif "loss" in entry:
        named = {"loss": "loss", "gradient_norm": "gradientNorm", "learning_rate": "learningRate"}
        for tag, key in named.items():
            expected.setdefault(f"train/{tag}", {})[entry["step"] + 1] = entry[key]

rows = {}
for tag, values in expected.items():
    steps = [event.step for event in events.Scalars(tag)]
    assert steps == sorted(values), (tag, steps, sorted(values))
    read = {event.step: event.value for event in events.Scalars(tag)}
    wrong = {step for step, value in values.items() if np.float32(value) != np.float32(read[step])}
    assert not wrong, (tag, wrong)
    rows[tag] = len(read)
    print(f"{tag}: {len(read)} values are those of the history, to the bit of a float32")
others = sorted(set(events.Tags()["scalars"]) - rows.keys())
Path(result).write_text(json.dumps({
    "versions": {"tensorboard": tensorboard.__version__, "numpy": np.__version__},
    "values": rows,
    "not in the history": others,
}, indent=2) + "\n")
