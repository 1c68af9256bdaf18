"""Combinations of parts, drawn by a seed, and what the reference makes of texts that such parts have trouble with.

A larger set than the golden's is drawn and tried with

    python combinations.py /tmp/combinations.json --count 2000 --texts 6 --seed 7
    HEADWISE_TOKENIZER_COMBINATIONS=/tmp/combinations.json pnpm vitest run --project unit packages/tokenizers/src/combinations.test.ts
"""

import argparse
import json
import os
import random
import sys

import tokenizers
from tokenizers import Tokenizer

from shapes import BYTES, shapes

# What the tests put in the place of SentencePiece's nmt_nfkc table, which unigram.model holds.
CHARSMAP = "unigram.model"

LETTERS = "abcdefghijklmnoprstuvwyzAETS"
SIGNS = " .,'!-0123▁é"
PAIRS = ["th", "the", "he", "in", "ing", "an", "er", "aa", "aaa", "aaaa", "12", "12 ", "▁a", "▁the", " a", " the", "'s", "é"]


def as_bytes(text):
    return "".join(BYTES[byte] for byte in text.encode())


def numbered(tokens):
    return {token: i for i, token in enumerate(dict.fromkeys(tokens))}


def bpe(source, alphabet, words, **options):
    """A BPE model whose merges spell words from left to right, some from right to left."""
    prefix = options.get("continuing_subword_prefix") or ""
    suffix = options.get("end_of_word_suffix") or ""
    tokens = ["<unk>", *alphabet]
    tokens += [prefix + char for char in alphabet] if prefix else []
    tokens += [char + suffix for char in alphabet] if suffix else []
    tokens += [prefix + char + suffix for char in alphabet] if prefix and suffix else []
    merges = []
    known = set(tokens)
    for word in words:
        symbols = [*word]
        symbols = [symbols[0], *(prefix + symbol for symbol in symbols[1:])]
        symbols[-1] += source.choice(["", suffix])
        while len(symbols) > 1 and all(symbol in known for symbol in symbols):
            at = source.choice([0, len(symbols) - 2])
            left, right = symbols[at : at + 2]
            made = left + right[len(prefix) :]
            if [left, right] not in merges:
                merges.append([left, right])
            tokens.append(made)
            known.add(made)
            symbols[at : at + 2] = [made]
    return {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
            "vocab": numbered(tokens), "merges": merges} | options


FALLBACK = [f"<0x{byte:02X}>" for byte in range(256)]


def models():
    """Models by name; options are drawn over them."""
    source = random.Random(1)
    pool = [*LETTERS, *SIGNS]
    words = [*PAIRS, "hello", "theing", "aan"]
    bytes_of = [as_bytes(word) for word in [*words, "😀", "字", " é"]]
    every_byte = sorted(BYTES.values())
    some_bytes = [char for char in every_byte if char not in "xqÃ"]
    affixes = {"": {}, ", suffix": {"end_of_word_suffix": "</w>"}, ", prefix": {"continuing_subword_prefix": "##"},
               ", both": {"continuing_subword_prefix": "@", "end_of_word_suffix": "_"}}
    found = {}
    for name, options in affixes.items():
        found[f"bpe{name}"] = bpe(source, pool, words, **options)
        found[f"bpe of bytes{name}"] = bpe(source, every_byte, bytes_of, **options)
    found["bpe of some bytes"] = bpe(source, some_bytes, bytes_of)
    found["bpe of some bytes, suffix"] = bpe(source, some_bytes, bytes_of, end_of_word_suffix="</w>")
    found["bpe, fallback"] = bpe(source, [*pool, *FALLBACK], words, byte_fallback=True)
    found["bpe, fallback, suffix"] = bpe(source, [*pool, *FALLBACK], words, byte_fallback=True, end_of_word_suffix="</w>")
    found["bpe, some fallback"] = bpe(source, [*pool, *FALLBACK[:0xF0]], words, byte_fallback=True)
    pieces = [["<unk>", 0.0], *([char, -3 - 3 * source.random()] for char in pool),
              *([word, -2 * len(word) * source.random()] for word in PAIRS if word not in pool), ["😀", -7.25]]
    unigram = {"type": "Unigram", "unk_id": 0, "byte_fallback": False, "vocab": pieces}
    found["unigram"] = unigram
    found["unigram, fallback"] = unigram | {"byte_fallback": True, "vocab": pieces + [[token, -20.5] for token in FALLBACK]}
    runs = [["<unk>", 0.0], *(["a" * n, -1.7 * n + 0.1 * source.random() * (n % 2)] for n in range(1, 9)),
            *(["▁" * n, n * -2.2345678901234567] for n in range(1, 5))]
    found["unigram of runs"] = unigram | {"vocab": runs}
    found["word piece"] = {"type": "WordPiece", "unk_token": "<unk>", "continuing_subword_prefix": "##", "max_input_chars_per_word": 12,
                           "vocab": numbered(["<unk>", *pool, *("##" + char for char in pool), "the", "##ing", "##in", "##😀", "字"])}
    found["word level"] = {"type": "WordLevel", "unk_token": "<unk>", "vocab": numbered(["<unk>", *pool, "the", "▁the", "hello", "Ġa", "12"])}
    return found


def regex(pattern):
    return {"Regex": pattern}


BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
PATTERNS = [
    regex(r"\p{N}{1,3}| ?\p{L}+|\s+"), regex(r"\s+"), regex(r"\s"), regex(r"[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"), regex(r"a?"),
    regex(r"(?=the)"), regex(r"(?<=th)e"), regex(r"(?<!\s\s)a"), regex(r"(?<=\bt.*)n|(?<=a+)b"), regex(r"."), regex(r"\w*"), regex(r"^.|.$"),
    regex(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"),
    {"String": " "}, {"String": "a"}, {"String": "aa"}, {"String": "▁"}, {"String": ""}, {"String": "😀"},
]

# Text that stands for nothing at the beginning of a text is written twice by the reference's ByteLevel, or makes it panic.
REPLACED = [pattern for pattern in PATTERNS if pattern not in (regex("a?"), regex(r"\w*"), regex("(?=the)"), {"String": ""})]


def drawn_normalizer(source, depth=0):
    kind = source.randrange(16 if depth == 0 else 13)
    if kind >= 13:
        return {"type": "Sequence", "normalizers": [drawn_normalizer(source, 1) for _ in range(source.randint(1, 3))]}
    flip = lambda: source.random() < 0.5
    return [
        lambda: {"type": source.choice(["NFC", "NFD", "NFKC", "NFKD"])},
        lambda: {"type": "Lowercase"},
        lambda: {"type": "Nmt"},
        lambda: {"type": "Strip", "strip_left": flip(), "strip_right": flip()},
        lambda: {"type": "StripAccents"},
        lambda: {"type": "Prepend", "prepend": source.choice(["▁", " ", "xy", "😀"])},
        lambda: {"type": "Replace", "pattern": source.choice(REPLACED), "content": source.choice([" ", "▁", "", "xy", "😀"])},
        lambda: {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        lambda: {"type": "Replace", "pattern": regex(" {2,}"), "content": source.choice([" ", "▁"])},
        lambda: {"type": "BertNormalizer", "clean_text": flip(), "handle_chinese_chars": flip(), "strip_accents": source.choice([None, True, False]), "lowercase": flip()},
        lambda: {"type": "Precompiled", "precompiled_charsmap": CHARSMAP},
        lambda: {"type": "ByteLevel"},
        lambda: {"type": "NFD"},
    ][kind]()


def drawn_pre_tokenizer(source, depth=0):
    kind = source.randrange(17 if depth == 0 else 12)
    if kind >= 12:
        return {"type": "Sequence", "pretokenizers": [drawn_pre_tokenizer(source, 1) for _ in range(source.randint(2, 3))]}
    flip = lambda: source.random() < 0.5
    return [
        lambda: {"type": "Metaspace", "replacement": "▁", "prepend_scheme": source.choice(["first", "always", "never"]), "split": flip()},
        lambda: {"type": "Metaspace", "replacement": source.choice("▁_😀"), "prepend_scheme": source.choice(["first", "always"]), "split": True},
        lambda: {"type": "ByteLevel", "add_prefix_space": flip(), "trim_offsets": flip(), "use_regex": flip()},
        lambda: {"type": "Split", "pattern": source.choice(PATTERNS), "behavior": source.choice(BEHAVIORS), "invert": flip()},
        lambda: {"type": "Split", "pattern": source.choice(PATTERNS), "behavior": source.choice(BEHAVIORS), "invert": flip()},
        lambda: {"type": "Whitespace"},
        lambda: {"type": "WhitespaceSplit"},
        lambda: {"type": "BertPreTokenizer"},
        lambda: {"type": "Punctuation", "behavior": source.choice(BEHAVIORS)},
        lambda: {"type": "Digits", "individual_digits": flip()},
        lambda: source.choice([{"type": "CharDelimiterSplit", "delimiter": "a"}, {"type": "FixedLength", "length": source.randint(1, 4)}]),
        lambda: {"type": "UnicodeScripts"},
    ][kind]()


def drawn_decoder(source, depth=0):
    kind = source.randrange(11 if depth == 0 else 9)
    if kind >= 9:
        return {"type": "Sequence", "decoders": [drawn_decoder(source, 1) for _ in range(source.randint(1, 3))]}
    flip = lambda: source.random() < 0.5
    return [
        lambda: {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        lambda: {"type": "Metaspace", "replacement": "▁", "prepend_scheme": source.choice(["first", "always", "never"]), "split": True},
        lambda: {"type": "WordPiece", "prefix": source.choice(["##", "@", ""]), "cleanup": flip()},
        lambda: {"type": "BPEDecoder", "suffix": source.choice(["</w>", "_", ""])},
        lambda: {"type": "ByteFallback"},
        lambda: {"type": "Fuse"},
        lambda: {"type": "Strip", "content": source.choice("▁ a"), "start": source.randint(0, 2), "stop": source.randint(0, 1)},
        lambda: {"type": "Replace", "pattern": source.choice(PATTERNS), "content": source.choice([" ", "", "▁", "xy"])},
        lambda: {"type": "CTC", "pad_token": source.choice(["a", "<unk>", ""]), "word_delimiter_token": source.choice(["▁", "|", ""]), "cleanup": flip()},
    ][kind]()


def drawn_post_processor(source, depth=0):
    kind = source.randrange(6 if depth == 0 else 5)
    flip = lambda: source.random() < 0.5
    special = lambda name: {"SpecialToken": {"id": name, "type_id": source.randint(0, 2)}}
    text = lambda name: {"Sequence": {"id": name, "type_id": source.randint(0, 2)}}
    return [
        lambda: {"type": "ByteLevel", "add_prefix_space": flip(), "trim_offsets": True, "use_regex": flip()},
        lambda: {"type": "BertProcessing", "sep": ["t", 3], "cls": ["h", 2]},
        lambda: {"type": "RobertaProcessing", "sep": ["t", 3], "cls": ["h", 2], "trim_offsets": flip(), "add_prefix_space": flip()},
        lambda: {"type": "TemplateProcessing", "single": [special("[A]"), text("A"), special("[B]")][source.randint(0, 1) :],
                 "pair": [special("[A]"), text("A"), special("[B]"), text("B")][source.randint(0, 1) :],
                 "special_tokens": {"[A]": {"id": "[A]", "ids": [2], "tokens": ["a"]}, "[B]": {"id": "[B]", "ids": [1, 0], "tokens": ["the", "[UNK]"]}}},
        lambda: {"type": "ByteLevel", "add_prefix_space": flip(), "trim_offsets": True, "use_regex": True},
        lambda: {"type": "Sequence", "processors": [drawn_post_processor(source, 1) for _ in range(2)]},
    ][kind]()


CONTENTS = ["<mask>", "<s>", "</s>", "Def", "x", "the", " in", "😀", "é", "<s><s>", "a", "  ", "A"]


def drawn_added_tokens(source, model):
    if source.random() < 0.4:
        return []
    vocab = {token: i for i, (token, _) in enumerate(model["vocab"])} if model["type"] == "Unigram" else model["vocab"]
    next_id = len(vocab)
    tokens = []
    for content in source.sample(CONTENTS, source.randint(1, 4)):
        known = vocab.get(content)
        flag = lambda p: source.random() < p
        tokens.append({"id": next_id if known is None else known, "content": content, "single_word": flag(0.2), "lstrip": flag(0.3),
                       "rstrip": flag(0.3), "normalized": flag(0.5), "special": flag(0.5)})
        next_id += known is None
    return tokens


def drawn_config(source, named):
    name = source.choice(list(named))
    model = named[name]
    options = {}
    if model["type"] == "BPE":
        options = {"unk_token": source.choice([None, "<unk>", "<unk>"]), "fuse_unk": source.random() < 0.5,
                   "ignore_merges": source.random() < 0.25}
        if source.random() < 0.15:
            options["byte_fallback"] = not model["byte_fallback"]
    if model["type"] == "WordPiece" and source.random() < 0.3:
        options["max_input_chars_per_word"] = 3
    maybe = lambda draw, p: draw(source) if source.random() < p else None
    pre_tokenizer = maybe(drawn_pre_tokenizer, 0.85)
    if "bytes" in name and source.random() < 0.8:
        byte_level = {"type": "ByteLevel", "add_prefix_space": source.random() < 0.5, "trim_offsets": True, "use_regex": source.random() < 0.5}
        pre_tokenizer = {"type": "Sequence", "pretokenizers": [*([pre_tokenizer] if pre_tokenizer else []), byte_level]}
    truncation = padding = None
    if source.random() < 0.1:
        truncation = {"direction": source.choice(["Left", "Right"]), "max_length": source.randint(9, 12), "strategy": source.choice(["LongestFirst", "OnlyFirst", "OnlySecond"]), "stride": source.randint(0, 1)}
    if source.random() < 0.1:
        padding = {"strategy": {"Fixed": 12}, "direction": source.choice(["Left", "Right"]), "pad_to_multiple_of": None, "pad_id": 3, "pad_type_id": 1, "pad_token": "[P]"}
    return {"model": name, "options": options, "config": {
        "version": "1.0", "truncation": truncation, "padding": padding, "added_tokens": drawn_added_tokens(source, model),
        "normalizer": maybe(drawn_normalizer, 0.6), "pre_tokenizer": pre_tokenizer,
        "post_processor": maybe(drawn_post_processor, 0.4), "decoder": maybe(drawn_decoder, 0.7)}}


BITS = [
    " ", " ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "a", "aa", "aaaaaaa", "the", "The", "hello", "theing", "in", "'s", "1234", "12", "٣",
    "▁", "▁▁", "_", "é", "e\u0301", "\u0301", "İ", "ß", "Σ", "ﬁ", "①", "½", "😀", "👍🏽", "👩\u200d👧", "𝔘", "字", "漢字", "ひら", "カナ", "ー", "한", "ع", "١٢",
    "\u0001", "\u0000", "\u007f", "\u200b", "\u200d", "\ufeff", "\ufffd", "\u00ad", ".", ",", "!", "-", " .", "<mask>", "<s>", "</s>", "<unk>", "Def", "x",
    "<0x41>", "</w>", "##", "|", "Ġ", "é", "А", "क्ष", "เ",
]


def drawn_text(source):
    kind = source.random()
    if kind < 0.03:
        return ""
    if kind < 0.08:
        return source.choice(["a", "▁", " ", "😀", "1"]) * source.randint(1, 60)
    return "".join(source.choice(BITS) for _ in range(source.randint(1, 10)))


def grid():
    """What has to hold in every combination of a few parts: name, configuration and texts."""
    digits = {"type": "BPE", "vocab": numbered(["1", "2", "3", "4", "34", "12", "123", "a", " "]), "merges": [["3", "4"], ["1", "2"], ["12", "3"]]}
    for pattern in [regex(r"\p{N}{1,3}| ?\p{L}+|\s+"), regex("12|2"), {"String": "12"}, {"String": "1"}]:
        for behavior in BEHAVIORS:
            for invert in [False, True]:
                split = {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}
                yield f"{json.dumps(split)}", {"model": digits, "pre_tokenizer": split}, ["1234", "1212 12", "a1 1a 21"]
    letters = {"type": "WordLevel", "unk_token": "u", "vocab": numbered(["u", "▁", "yes", "▁yes", "▁no", "no"])}
    mask = {"id": 6, "content": "<mask>", "single_word": False, "lstrip": True, "rstrip": False, "normalized": False, "special": True}
    before = [{"type": "WhitespaceSplit"}, {"type": "Whitespace"}, {"type": "Punctuation", "behavior": "Isolated"}, {"type": "Digits", "individual_digits": True},
              {"type": "FixedLength", "length": 2}, {"type": "UnicodeScripts"}, {"type": "Split", "pattern": {"String": "s"}, "behavior": "MergedWithPrevious", "invert": False}]
    for number, first in enumerate(before):
        for scheme in ["first", "never", "always"]:
            metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": True}
            config = {"model": letters, "pre_tokenizer": {"type": "Sequence", "pretokenizers": [first, metaspace]}, "added_tokens": [mask],
                      "normalizer": [None, {"type": "Nmt"}, {"type": "Lowercase"}][number % 3], "decoder": metaspace}
            yield f"Metaspace, {scheme}, after {first['type']}", config, ["yes\n", "yes <mask>", " yes no", "<mask>no", "İ😀1", "yes\u200b2no!"]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": True}
    for affix, token in [("end_of_word_suffix", "a</w>"), ("continuing_subword_prefix", "</w>a")]:
        clip = {"type": "BPE", "vocab": {"a": 0, token: 1}, "merges": [], affix: "</w>"}
        yield f"ByteLevel with {affix}", {"model": clip, "pre_tokenizer": byte_level, "decoder": byte_level}, ["aa", "a", "aaa a"]
    for form in ["NFC", "NFD", "NFKC", "NFKD"]:
        later = ["\u32ff \ua7f2a", "\U00011935\U00011930 \U00011938", "a\u0898\u0301 a\u1dfa\u0327", "\U0001ccd6 \U0001fbf1"]
        yield f"{form} of later characters", {"model": {"type": "Unigram", "unk_id": 0, "vocab": [["u", 0.0]]}, "normalizer": {"type": form}}, later
    for kind in ["BertProcessing", "RobertaProcessing"]:
        for more in [{}, {"trim_offsets": True, "add_prefix_space": False}]:
            yield f"{kind} with {len(more)} more fields", {"model": letters, "pre_tokenizer": {"type": "Whitespace"}, "post_processor": {"type": kind, "sep": ["no", 5], "cls": ["yes", 2]} | more}, ["yes no", "no yes"]
    emoji = {"type": "BPE", "vocab": numbered([*sorted(BYTES.values()), *(chr(0x1F600 + i) for i in range(3))]), "merges": []}
    found = {"id": 400, "content": "x", "single_word": False, "lstrip": False, "rstrip": False, "normalized": True, "special": False}
    for name, part in [("ByteLevel", byte_level | {"add_prefix_space": True}), ("Metaspace", {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": False})]:
        yield f"{name} in front of a pair", {"model": emoji, "pre_tokenizer": part, "post_processor": byte_level | {"trim_offsets": True}, "added_tokens": [found]}, ["😀", "x😁b", "😀x😁", " 😀 x 😂"]


def utf16_offsets(text, offsets):
    places = [0]
    for char in text:
        places.append(places[-1] + (2 if ord(char) > 0xFFFF else 1))
    return [places[min(at, len(text))] for pair in offsets for at in pair]


class silence:
    """Panics of the reference print a line each."""

    def __enter__(self):
        self.saved, self.null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        os.dup2(self.null, 2)

    def __exit__(self, *_):
        os.dup2(self.saved, 2)
        os.close(self.saved)
        os.close(self.null)


def attempt(run):
    """None where the reference refuses or panics."""
    with silence():
        try:
            return run()
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            return None


def described(tokenizer, text):
    encoding = attempt(lambda: tokenizer.encode(text))
    if encoding is None:
        return None
    value = {"text": text, "ids": encoding.ids, "offsets": utf16_offsets(text, encoding.offsets), "words": encoding.word_ids,
             "types": encoding.type_ids, "special": encoding.special_tokens_mask, "tokens": encoding.tokens}
    # What follows from the others is left out.
    if value["tokens"] == [tokenizer.id_to_token(i) for i in encoding.ids]:
        del value["tokens"]
    for name in ["types", "special"]:
        if not any(value[name]):
            del value[name]
    value["decoded"] = attempt(lambda: tokenizer.decode(encoding.ids))
    whole = attempt(lambda: tokenizer.decode(encoding.ids, skip_special_tokens=False))
    plain = attempt(lambda: tokenizer.encode(text, add_special_tokens=False).ids)
    return value | ({"whole": whole} if whole != value["decoded"] else {}) | ({"plain": plain} if plain != value["ids"] else {})


def is_sound(tokenizer):
    """Of two added tokens with one normalized form the reference takes either; one with none cuts the text everywhere."""
    normalizer = tokenizer.normalizer
    looked_for = []
    for token in tokenizer.get_added_tokens_decoder().values():
        normalized = token.normalized and normalizer is not None
        looked_for.append((token.normalized, attempt(lambda: normalizer.normalize_str(token.content)) if normalized else token.content))
    return len(set(looked_for)) == len(looked_for) and all(content for _, content in looked_for)


def shifts_offsets(model):
    """The reference shifts offsets behind a character that BPE leaves out, spells with more bytes than it has, or puts behind later bytes."""
    if model["type"] != "BPE":
        return False
    affixed = model["continuing_subword_prefix"] or model["end_of_word_suffix"]
    some_bytes = any(token in model["vocab"] for token in FALLBACK) and not all(token in model["vocab"] for token in FALLBACK)
    return not model["unk_token"] or (model["byte_fallback"] and bool(affixed or some_bytes))


def cases_of(config, texts):
    """What the reference makes of drawn texts; None where it refuses the configuration, or does not make the same of it each time."""
    tokenizer = attempt(lambda: Tokenizer.from_str(json.dumps(config)))
    if tokenizer is None or not is_sound(tokenizer):
        return None
    cases = [case for text in texts if (case := described(tokenizer, text))]
    if shifts_offsets(config["model"]):
        for case in cases:
            del case["offsets"]
    pairs = [pair for chosen in [texts[:2]] if len(chosen) == 2 and (pair := described_pair(tokenizer, chosen))]
    return {"cases": cases, "pairs": pairs}


def described_pair(tokenizer, texts):
    encoding = attempt(lambda: tokenizer.encode(*texts))
    if encoding is None:
        return None
    value = {"texts": texts, "ids": encoding.ids, "types": encoding.type_ids, "words": encoding.word_ids,
             "special": encoding.special_tokens_mask, "attention": encoding.attention_mask}
    return value | ({"overflowing": [part.ids for part in encoding.overflowing]} if encoding.overflowing else {})


def charsmap(models_folder):
    import base64

    from sources import charsmap_of

    with open(os.path.join(models_folder, "unigram.model"), "rb") as file:
        return base64.b64encode(charsmap_of(file.read())).decode()


def complete(value, table):
    """A configuration with SentencePiece's table in its place."""
    if isinstance(value, dict):
        return {key: complete(item, table) for key, item in value.items()}
    if isinstance(value, list):
        return [complete(item, table) for item in value]
    return table if value == CHARSMAP else value


EMPTY = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "pre_tokenizer": None,
         "post_processor": None, "decoder": None}


def combination_goldens(out, count=160, texts=3, seed=26):
    source = random.Random(seed)
    named = models()
    table = charsmap(out)
    found = []
    for name, config in shapes(CHARSMAP).items():
        chosen = ["yes\n", "hello <mask> the", "aaaaaaa aaaaaaaaaaaaaaaaaaaaaaaaaa", *(drawn_text(source) for _ in range(2 * texts))]
        found.append({"name": name, "config": config} | cases_of(complete(config, table), chosen))
    for name, config, chosen in grid():
        config = EMPTY | config
        model = {"unk_token": None, "dropout": None, "continuing_subword_prefix": None, "end_of_word_suffix": None, "byte_fallback": False} | config["model"]
        found.append({"name": name, "config": config} | cases_of(config | {"model": model}, chosen))
    runs = {"model": "unigram of runs", "config": EMPTY}
    found.append({"name": "runs of one character"} | runs | cases_of(EMPTY | {"model": named["unigram of runs"]}, ["a" * n for n in range(1, 80, 3)] + ["▁" * n for n in range(1, 20, 3)]))
    for drawn in range(1, count + 1):
        entry = drawn_config(source, named)
        config = complete(entry["config"], table) | {"model": named[entry["model"]] | entry["options"]}
        cases = cases_of(config, [drawn_text(source) for _ in range(texts)])
        if cases:
            found.append({"name": f"{drawn}: {entry['model']}"} | entry | cases)
    return {"models": named, "combinations": found}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--texts", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    here = os.path.dirname(os.path.abspath(__file__))
    goldens = os.path.join(here, "../../../packages/tokenizers/src/goldens")
    value = combination_goldens(goldens, given.count, given.texts, given.seed)
    header = {"source": "tokenizers (Python), Hugging Face", "version": f"tokenizers {tokenizers.__version__}",
              "script": "tools/goldens/tokenizers/combinations.py"}
    with open(given.out, "w", encoding="utf-8") as file:
        json.dump(header | value, file, ensure_ascii=True, separators=(",", ":"))
    print(len(value["combinations"]), "combinations", file=sys.stderr)
