"""Writes the decisions of datatrove's filters on documents of mixed quality: python make.py DOCUMENTS GOLDENS"""
import hashlib
import json
import sys
from importlib.metadata import version
from pathlib import Path

from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)
from datatrove.utils.text import split_into_sentences, split_into_words

FILTERS = {
    "gopher-quality": GopherQualityFilter,
    "gopher-repetition": GopherRepetitionFilter,
    "c4-quality": C4QualityFilter,
    "fineweb-quality": FineWebQualityFilter,
}


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def decide(step, text: str) -> str:
    document = Document(text=text, id="")
    kept = step.filter(document)
    if isinstance(kept, tuple):
        return kept[1]
    assert kept is True
    return "" if document.text == text else digest(document.text)[:8]


def main(documents: str, goldens: str) -> None:
    texts = json.loads(Path(documents).read_text())
    words = [split_into_words(text) for text in texts]
    golden = {
        "source": "datatrove",
        "version": version("datatrove"),
        "spacy": version("spacy"),
        "script": "tools/goldens/datatrove/make.py",
        "texts": digest("\x00".join(texts)),
        "words": [digest("\x00".join(each))[:6] for each in words],
        "sentences": [len(split_into_sentences(text)) for text in texts],
    }
    for name, make in FILTERS.items():
        step = make()
        outcomes = [decide(step, text) for text in texts]
        reasons = sorted({outcome for outcome in outcomes if not (len(outcome) == 8 and outcome.isalnum())})
        golden[name] = {"reasons": reasons, "outcomes": [reasons.index(o) if o in reasons else o for o in outcomes]}
        print(name, {reason: outcomes.count(reason) for reason in reasons}, file=sys.stderr)
    Path(goldens, "quality.json").write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n")


main(sys.argv[1], sys.argv[2])
