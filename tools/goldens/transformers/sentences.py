"""Vectors of sentence-transformers from the folders that it saves, around the checkpoint of the tiny BERT."""

import base64
import json
import shutil
import sys
import tempfile
from pathlib import Path

import sentence_transformers
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

goldens = Path(sys.argv[1])
target = goldens.parent.parent / "text" / "src" / "goldens" / "sentences.json"
texts = ["w9 w10 w11", "w40", "w5 w6 w7 w8 w9 w10 w11 w12", "W50 w60"]
weights = ("config.json", "model.safetensors")
written = ("modules.json", "config_sentence_transformers.json", "sentence_bert_config.json", "tokenizer_config.json")
torch.manual_seed(23)


def checkpoint(folder):
    """The tiny BERT with a vocabulary of words."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [f"w{i}" for i in range(5, 97)]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    special = [("[CLS]", 2), ("[SEP]", 3)]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=special)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(folder)
    for name in weights:
        shutil.copy(goldens / "bert" / name, folder / name)
    return folder


def vectors(model, **options):
    return [[round(float(x), 7) for x in row] for row in model.encode(texts, **options)]


def case(folder, options):
    model = SentenceTransformer(str(folder), device="cpu", model_kwargs={"dtype": torch.float64}).double()
    files = {name: (folder / name).read_text() for name in written if (folder / name).exists()}
    files |= {f"{p.parent.name}/config.json": p.read_text() for p in sorted(folder.glob("*_*/config.json"))}
    dense = {str(p.relative_to(folder)): p for p in folder.glob("*_Dense/model.safetensors")}
    return {
        "files": files,
        "binary": {name: base64.b64encode(path.read_bytes()).decode() for name, path in dense.items()},
        "vectors": [{"options": given, "vectors": vectors(model, **given)} for given in options],
    }


def saved(place, *modules, prompts=None, length=8):
    first = Transformer(str(checkpoint(place / "checkpoint")), max_seq_length=length)
    SentenceTransformer(modules=[first, *modules], prompts=prompts, device="cpu").save(str(place / "model"))
    return place / "model"


def before_six(folder):
    """The folder as version 2 wrote it: types, poolings by flags, and the length beside the weights."""
    modules = json.loads((folder / "modules.json").read_text())
    for module in modules:
        module["type"] = "sentence_transformers.models." + module["type"].split(".")[-1]
    (folder / "modules.json").write_text(json.dumps(modules))
    flags = ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens")
    pooling = {"word_embedding_dimension": 20} | {f"pooling_mode_{flag}": flag != "mean_sqrt_len_tokens" for flag in flags}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 6, "do_lower_case": True}))
    return folder


def made():
    prompts = {"query": "w7 w8 "}
    asked = [{}, {"prompt_name": "query"}, {"prompt": "w30 "}, {"truncate_dim": 3, "normalize_embeddings": True}]
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for folder in ("dense", "flags", "sqrt", "weighted", "last"):
            (root / folder / "checkpoint").mkdir(parents=True)
        dense = saved(root / "dense", Pooling(20, ("mean", "cls")), Dense(40, 7), Normalize(), prompts=prompts)
        yield "two poolings, a projection and prompts", case(dense, asked)
        yield "a folder before version 6", case(before_six(saved(root / "flags", Pooling(20))), [{}])
        for folder, mode in (("sqrt", "mean_sqrt_len_tokens"), ("weighted", "weightedmean"), ("last", "lasttoken")):
            yield mode, case(saved(root / folder, Pooling(20, mode)), [{}])
        tokenizer = root / "dense" / "model" / "tokenizer.json"
        yield "tokenizer", json.loads(tokenizer.read_text())


cases = dict(made())
target.write_text(json.dumps({
    "source": f"sentence-transformers {sentence_transformers.__version__}, SentenceTransformer.encode in float64",
    "script": "tools/goldens/transformers/sentences.py",
    "texts": texts,
    "tokenizer": cases.pop("tokenizer"),
    "cases": cases,
}, separators=(",", ":")) + "\n")
