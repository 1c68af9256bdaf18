"""Rows that TRL's pack_dataset makes of documents of given lengths, whose tokens name their document and place."""

import json
import random
import sys
from pathlib import Path

import datasets
import trl
from datasets import Dataset
from trl import pack_dataset

LENGTH = 16
draw = random.Random(3)
lengths = [draw.choice((1, 2, 3, 5, 7, 8, 11, 16, 17, 33, 40)) for _ in range(40)]
documents = [[100 * n + place for place in range(length)] for n, length in enumerate(lengths)]


def rows(strategy):
    packed = pack_dataset(Dataset.from_dict({"input_ids": documents}), LENGTH, strategy)
    return packed["input_ids"][:]


note = json.dumps(
    {
        "source": "pack_dataset",
        "version": f"trl {trl.__version__}, datasets {datasets.__version__}",
        "script": "tools/goldens/trl/packing.py",
        "length": LENGTH,
        "lengths": lengths,
        "truncate": rows("bfd"),
        "split": rows("bfd_split"),
        "concatenate": rows("wrapped"),
    }
)
Path(sys.argv[1]).write_text(note)
