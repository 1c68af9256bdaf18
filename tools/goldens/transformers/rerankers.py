"""Scores of sentence-transformers' cross-encoders, around tiny checkpoints of the other scripts."""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import sentence_transformers
import torch
from sentence_transformers import CrossEncoder
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

goldens = Path(sys.argv[1])
target = goldens.parent.parent / "text" / "src" / "goldens" / "rerankers.json"
query = "w9 w10 w11"
texts = ["w9 w40", "w12", "w10 w11 w9 w30", "w5 w6 w7 w8 w9 w10 w11 w12 w13 w14"]
IDENTITY = "torch.nn.modules.linear.Identity"


def checkpoint(folder, name, typed):
    """A tiny classifier of one label, with a vocabulary of words."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [f"w{i}" for i in range(5, 43)]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    # Types of tokens are given where the tokenizer's class or its settings say so.
    inputs = ["input_ids", *(["token_type_ids"] if typed else []), "attention_mask"]
    PreTrainedTokenizerFast(
        model_input_names=inputs, tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", model_max_length=12,
    ).save_pretrained(folder)
    for file in ("config.json", "model.safetensors"):
        shutil.copy(goldens / name / file, folder / file)
    return json.loads((folder / "tokenizer.json").read_text())


def configured(folder, more):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | more))


def case(root, name, golden, more={}, saved=False, typed=True):
    folder = root / name.replace(" ", "-")
    folder.mkdir()
    tokenizer = checkpoint(folder, golden, typed)
    configured(folder, more)
    if saved:
        model = CrossEncoder(str(folder), activation_fn=torch.nn.Identity(), device="cpu")
        folder = folder / "saved"
        model.save_pretrained(str(folder))
    model = CrossEncoder(str(folder), device="cpu", model_kwargs={"dtype": torch.float64})
    skipped = ("tokenizer.json", "README.md")
    files = {p.name: p.read_text() for p in sorted(folder.glob("*.json")) if p.name not in skipped}
    ranks = model.rank(query, texts)
    return tokenizer, {
        "golden": golden, "files": files,
        "ranks": [{"index": r["corpus_id"], "score": round(float(r["score"]), 7)} for r in ranks],
    }


with tempfile.TemporaryDirectory() as name:
    root = Path(name)
    made = {
        "as it is": case(root, "plain", "bert-reranker"),
        "an activation in config.json": case(root, "new", "bert-reranker", {"sentence_transformers": {"activation_fn": IDENTITY, "version": "5.0.0"}}),
        "an activation as before version 4": case(root, "old", "bert-reranker", {"sbert_ce_default_activation_function": IDENTITY}),
        "saved by version 6": case(root, "saved", "bert-reranker", saved=True),
        "without types of tokens": case(root, "untyped", "bert-reranker", typed=False),
        "DeBERTa": case(root, "deberta", "deberta-sequence-classification"),
    }
tokenizer = next(iter(made.values()))[0]
target.write_text(json.dumps({
    "source": f"sentence-transformers {sentence_transformers.__version__}, CrossEncoder.rank",
    "script": "tools/goldens/transformers/rerankers.py",
    "query": query, "texts": texts, "tokenizer": tokenizer, "cases": {name: found for name, (_, found) in made.items()},
}, separators=(",", ":")) + "\n")
print({name: found["ranks"] for name, (_, found) in made.items()}, target.stat().st_size)
