"""Scores of BM25 in Lucene's form, by bm25s, of made-up texts and queries."""

import json
import random
import sys
from importlib.metadata import version
from pathlib import Path

import bm25s

random.seed(17)
words = [f"w{n}" for n in range(30)]
# Few words are frequent, and texts differ in length.
weights = [1 / (n + 1) for n in range(len(words))]
texts = [random.choices(words, weights, k=random.randint(1, 25)) for _ in range(40)]
# Some words of queries are in no text, some come twice.
queries = [random.choices([*words, "unknown"], [*weights, 0.2], k=random.randint(1, 6)) for _ in range(20)]


def scores(k1: float, b: float) -> list[list[float]]:
    ranking = bm25s.BM25(method="lucene", k1=k1, b=b, dtype="float64")
    ranking.index(texts, show_progress=False)
    return [ranking.get_scores(query).tolist() for query in queries]


golden = {
    "source": "bm25s",
    "version": version("bm25s"),
    "script": "tools/goldens/prompting/ranks.py",
    "texts": [" ".join(text) for text in texts],
    "queries": [" ".join(query) for query in queries],
    "cases": [{"k1": k1, "b": b, "scores": scores(k1, b)} for k1, b in ((1.2, 0.75), (0.9, 0.4), (2, 1))],
}
Path(sys.argv[1], "ranks.json").write_text(json.dumps(golden) + "\n")
