"""Small tokenizers in the shapes in which transformers 5 writes those of its models."""

import json

WORDS = ["the", "ing", "hello", "aa", "aaa", "in", "12"]
CHARS = "abcdefghijklmnopqrstuvwxyzAETS.,'!-0123é"


def pieces(specials, sign="▁"):
    """Pieces of a Unigram model, with scores of as many digits as files have."""
    found = [(token, 0.0) for token in specials]
    found += [(char, -4.0 - 0.123456789012345 * i) for i, char in enumerate(CHARS)]
    found += [(word, -3.0 - 0.4 * len(word) - 0.01234567890123 * i) for i, word in enumerate(WORDS)]
    found += [(sign, -2.0000000000000123), *((sign + word, -2.5 - 0.3 * len(word)) for word in WORDS)]
    return found


def byte_chars():
    """A printable character for each byte, as GPT-2 has them."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    chars = {byte: chr(byte) for byte in visible}
    for byte in range(256):
        if byte not in chars:
            chars[byte] = chr(0x100 + len(chars) - len(visible))
    return chars


BYTES = byte_chars()


def clip_vocab():
    alphabet = sorted(BYTES.values())
    merges = [("t", "h"), ("th", "e</w>"), ("a", "a</w>"), ("i", "n"), ("in", "g</w>"), ("h", "e"), ("l", "l"), ("he", "ll"), ("hell", "o</w>"), ("a", "a")]
    tokens = [*alphabet, *(char + "</w>" for char in alphabet), *(left + right for left, right in merges), "<|startoftext|>", "<|endoftext|>"]
    return {token: i for i, token in enumerate(tokens)}, merges


def shapes(charsmap):
    from transformers import AlbertTokenizer, CamembertTokenizer, CLIPTokenizer, MBartTokenizer, T5Tokenizer, XLMRobertaTokenizer

    vocab, merges = clip_vocab()
    albert = ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"]
    fairseq = ["<s>", "<pad>", "</s>", "<unk>"]
    made = {
        "CLIP": (CLIPTokenizer(vocab=vocab, merges=merges), False),
        "T5": (T5Tokenizer(vocab=[*pieces(["<pad>", "</s>", "<unk>"]), ("<extra_id_1>", 0.0), ("<extra_id_0>", 0.0)], extra_ids=2), True),
        "XLM-R": (XLMRobertaTokenizer(vocab=[*pieces(fairseq), ("<mask>", 0.0)]), True),
        "ALBERT": (AlbertTokenizer(vocab=pieces(albert)), True),
        "ALBERT, cased": (AlbertTokenizer(vocab=pieces(albert), do_lower_case=False, keep_accents=True), True),
        "CamemBERT": (CamembertTokenizer(vocab=[*pieces(["<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>"]), ("<unk>NOTUSED", -100.0), ("<mask>", 0.0)]), True),
        "mBART": (MBartTokenizer(vocab=[*pieces(fairseq), ("en_XX", 0.0), ("<mask>", 0.0)]), True),
    }
    return {name: with_charsmap(json.loads(tokenizer.backend_tokenizer.to_str()), charsmap if takes_charsmap else None)
            for name, (tokenizer, takes_charsmap) in made.items()}


def with_charsmap(config, charsmap):
    """With SentencePiece's table behind its other normalizers, which a tokenizer has that is made from a SentencePiece model."""
    if charsmap is None:
        return config
    table = {"type": "Precompiled", "precompiled_charsmap": charsmap}
    before = config["normalizer"]
    parts = before["normalizers"] if before and before["type"] == "Sequence" else [before] if before else []
    return config | {"normalizer": {"type": "Sequence", "normalizers": [*parts, table]}}
