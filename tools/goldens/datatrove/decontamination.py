"""Writes which documents datatrove finds contaminated by an evaluation set: python decontamination.py INPUT OUT"""
import json
import sys
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

from datatrove.data import Document
from datatrove.pipeline.decont import NGramsDecontConfig, NGramsDecontFilter
from datatrove.pipeline.decont.n_grams import NGramsDecontIndexer
from datatrove.utils.hashing import create_hash_func
from datatrove.utils.typeshelper import Languages
from datatrove.utils.word_tokenizers import load_word_tokenizer

SETTINGS = [
    {"words": 12, "queries": False, "overlaps": True},
    {"words": 13, "queries": True, "overlaps": True},
    {"words": 8, "queries": False, "overlaps": False},
]


def contaminated(texts: list, examples: list, settings: dict) -> list:
    config = NGramsDecontConfig(
        n_grams=settings["words"],
        find_query_ngrams=settings["queries"],
        find_overlap_ngrams=settings["overlaps"],
    )
    # The indexer asks for lighteval when it is made, which its hashes do not need.
    indexer = SimpleNamespace(
        config=config,
        tokenizer=load_word_tokenizer(Languages.english),
        hash_func=create_hash_func(config.hash_config),
    )
    step = NGramsDecontFilter("unused", config=config)
    step._index_hashes = {
        int(value): example["task"]
        for example in examples
        for value in NGramsDecontIndexer.compute_hashes(indexer, example["text"], example["query"])
    }
    step.stat_update = lambda *_: None
    return [i for i, text in enumerate(texts) if step.filter(Document(text=text, id="")) is not True]


def main(given: str, out: str) -> None:
    data = json.loads(Path(given).read_text())
    golden = {
        "source": "datatrove",
        "version": version("datatrove"),
        "script": "tools/goldens/datatrove/decontamination.py",
        "settings": [
            {"options": settings, "contaminated": contaminated(data["texts"], data["examples"], settings)}
            for settings in SETTINGS
        ],
    }
    for each in golden["settings"]:
        print(each["options"], len(each["contaminated"]), file=sys.stderr)
    Path(out, "decontamination.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


main(sys.argv[1], sys.argv[2])
