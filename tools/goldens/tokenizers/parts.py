"""Each part of the pipeline in a small tokenizer of its own, over texts that part has trouble with."""

import json

from tokenizers import Tokenizer

from hard import WORDS

CHOSEN = [
    "latin", "greek", "arabic", "hebrew", "devanagari", "thai", "korean", "japanese", "chinese", "emoji", "combining",
    "hangul jamo", "zero width", "bom first", "spaces", "leading spaces", "newline then space", "crlf", "control", "nul",
    "private use", "unpaired surrogates", "numbers", "contractions", "punctuation", "symbols", "low line",
    "special tokens", "python", "repeated marks", "mixed", "empty", "one space",
]

WORD_LEVEL = {"type": "WordLevel", "vocab": {"[UNK]": 0, "the": 1, "a": 2, "▁": 3}, "unk_token": "[UNK]"}
CHARS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789'"
LETTERS = [*CHARS, "▁", "th", "he", "in", "er", "an", "the", "ing"]
MERGES = [["t", "h"], ["h", "e"], ["i", "n"], ["e", "r"], ["a", "n"], ["th", "e"], ["in", "g"]]


def bpe(**options):
    vocab = {token: i for i, token in enumerate(["<unk>", *LETTERS])}
    return {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
            "vocab": vocab, "merges": MERGES} | options


def suffixed():
    tokens = ["<unk>", *CHARS, *(c + "</w>" for c in CHARS), "th", "the</w>", "in", "ing</w>", "an</w>"]
    return bpe(end_of_word_suffix="</w>", vocab={t: i for i, t in enumerate(tokens)},
               merges=[["t", "h"], ["th", "e</w>"], ["i", "n"], ["in", "g</w>"], ["a", "n</w>"]])


def prefixed():
    tokens = ["<unk>", *CHARS, *("##" + c for c in CHARS), "th", "the", "##in", "##ing"]
    return bpe(continuing_subword_prefix="##", vocab={t: i for i, t in enumerate(tokens)},
               merges=[["t", "##h"], ["th", "##e"], ["##i", "##n"], ["##in", "##g"]])


def fallback(missing=()):
    tokens = ["<unk>", *LETTERS, *(f"<0x{b:02X}>" for b in range(256) if b not in missing)]
    return bpe(byte_fallback=True, fuse_unk=True, vocab={t: i for i, t in enumerate(tokens)})


def unigram(**options):
    pieces = [["<unk>", 0.0], ["▁", -2.0], ["t", -4.0], ["h", -4.1], ["e", -3.0], ["▁the", -3.5], ["th", -3.9],
              ["a", -3.2], ["▁a", -3.3], ["an", -3.3], ["in", -4.5], ["ing", -4.7], ["n", -5.0], ["i", -5.0], ["が", -6.0], ["😀", -7.0]]
    return {"type": "Unigram", "unk_id": 0, "byte_fallback": False, "vocab": pieces} | options


def added(content, i, **options):
    return {"id": i, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": False} | options


def config(model=None, normalizer=None, pre_tokenizer=None, post_processor=None, decoder=None, added_tokens=(), **more):
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": list(added_tokens),
            "normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "post_processor": post_processor,
            "decoder": decoder, "model": model or WORD_LEVEL} | more


def sequence(name, *parts):
    return {"type": "Sequence", name: list(parts)}


SPLIT = {"type": "WhitespaceSplit"}
METASPACE = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
BERT = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True}
TEMPLATE = {"type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "[A]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 3}}, {"SpecialToken": {"id": "[B]", "type_id": 4}}],
    "pair": [{"SpecialToken": {"id": "[A]", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 2}}, {"SpecialToken": {"id": "[B]", "type_id": 1}}, {"Sequence": {"id": "A", "type_id": 1}}],
    "special_tokens": {"[A]": {"id": "[A]", "ids": [2], "tokens": ["a"]}, "[B]": {"id": "[B]", "ids": [1, 0], "tokens": ["the", "[UNK]"]}}}
BERT_POST = {"type": "BertProcessing", "sep": ["the", 1], "cls": ["a", 2]}
ROBERTA = {"type": "RobertaProcessing", "sep": ["the", 1], "cls": ["a", 2], "trim_offsets": True, "add_prefix_space": True}


def regex(pattern):
    return {"Regex": pattern}


def split(pattern, behavior, invert=False):
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}


O200K = ("[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         "\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+")
QWEN = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
DEEPSEEK = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

PARTS = {
    **{form: config(normalizer={"type": form}, pre_tokenizer=SPLIT) for form in ["NFC", "NFD", "NFKC", "NFKD"]},
    "Lowercase": config(normalizer={"type": "Lowercase"}, pre_tokenizer=SPLIT),
    "NFD, StripAccents": config(normalizer=sequence("normalizers", {"type": "NFD"}, {"type": "StripAccents"}), pre_tokenizer=SPLIT),
    "BertNormalizer": config(normalizer=BERT, pre_tokenizer={"type": "BertPreTokenizer"}),
    "BertNormalizer, cased": config(normalizer=BERT | {"lowercase": False, "clean_text": False, "strip_accents": True}, pre_tokenizer=SPLIT),
    "Strip": config(normalizer={"type": "Strip", "strip_left": True, "strip_right": True}),
    "Nmt": config(normalizer={"type": "Nmt"}, pre_tokenizer=SPLIT),
    "Prepend, Replace": config(normalizer=sequence("normalizers", {"type": "Prepend", "prepend": "▁x"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁▁"}), pre_tokenizer=split({"String": "▁"}, "MergedWithNext")),
    "Replace, regex": config(normalizer={"type": "Replace", "pattern": regex("\\s+|[aeiou]{2,}"), "content": " "}, pre_tokenizer=SPLIT),
    "Replace, removed": config(normalizer={"type": "Replace", "pattern": regex("[\\p{P}\\p{M}]"), "content": ""}, pre_tokenizer=SPLIT),
    "ByteLevel normalizer": config(normalizer={"type": "ByteLevel"}, pre_tokenizer=split({"String": "Ġ"}, "Isolated")),
    "Whitespace": config(pre_tokenizer={"type": "Whitespace"}),
    "WhitespaceSplit": config(pre_tokenizer=SPLIT),
    "BertPreTokenizer": config(pre_tokenizer={"type": "BertPreTokenizer"}),
    "Metaspace": config(pre_tokenizer=METASPACE, decoder=METASPACE),
    "Metaspace, first": config(normalizer={"type": "Strip", "strip_left": True, "strip_right": False}, pre_tokenizer=METASPACE | {"prepend_scheme": "first"}, decoder=METASPACE, added_tokens=[added("the", 1), added(" in", 4)]),
    "Metaspace, whole": config(pre_tokenizer=METASPACE | {"prepend_scheme": "never", "split": False}),
    "Metaspace after a split": config(pre_tokenizer=sequence("pretokenizers", SPLIT, METASPACE)),
    "CharDelimiterSplit": config(pre_tokenizer={"type": "CharDelimiterSplit", "delimiter": "e"}),
    "FixedLength": config(pre_tokenizer={"type": "FixedLength", "length": 3}),
    "Digits": config(pre_tokenizer={"type": "Digits", "individual_digits": False}),
    "Digits, individual": config(pre_tokenizer={"type": "Digits", "individual_digits": True}),
    **{f"Punctuation, {b}": config(pre_tokenizer={"type": "Punctuation", "behavior": b}) for b in ["Isolated", "Contiguous", "MergedWithPrevious"]},
    **{f"Split, {b}": config(pre_tokenizer=split(regex("[\\s-]"), b)) for b in ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]},
    **{f"Split inverted, {b}": config(pre_tokenizer=split(regex("\\w+"), b, True)) for b in ["Removed", "Isolated", "MergedWithNext"]},
    "Split, string": config(pre_tokenizer=split({"String": " a"}, "Isolated")),
    "Split, classes": config(pre_tokenizer=split(regex("[[:alpha:]]+|[^[:alpha:]\\s]+?(?=\\p{L})|\\h{2}|(?<=a).|\\b"), "Isolated")),
    "Split, greedy": config(pre_tokenizer=split(regex("(?:a|ab)(?:c|bcd)*|\\p{Lu}\\p{Ll}*+|[^\\W\\d_]{2,4}?|[A-Z&&[^AEIOU]]|(?i)THE|x?"), "Isolated")),
    "Split, lines": config(pre_tokenizer=split(regex("^\\s+|$|\\A.|.\\z"), "Isolated")),
    "Split, GPT-4o": config(pre_tokenizer=split(regex(O200K), "Isolated")),
    "Split, Qwen 2": config(pre_tokenizer=split(regex(QWEN), "Isolated")),
    "Split, DeepSeek": config(pre_tokenizer=sequence("pretokenizers", split(regex("\\p{N}{1,3}"), "Isolated"), split(regex("[一-龥぀-ゟ゠-ヿ]+"), "Isolated"), split(regex(DEEPSEEK), "Isolated"), BYTE_LEVEL | {"add_prefix_space": False, "use_regex": False})),
    "ByteLevel": config(pre_tokenizer=BYTE_LEVEL, post_processor=BYTE_LEVEL),
    "ByteLevel, BPE": config(bpe(vocab={"<unk>": 0} | {c: i + 1 for i, c in enumerate("Ġabcdefghijklmnopqrstuvwxyz'.,Ċ")}, merges=[]), pre_tokenizer=BYTE_LEVEL, post_processor=BYTE_LEVEL | {"add_prefix_space": False}, decoder=BYTE_LEVEL),
    "ByteLevel after a split": config(pre_tokenizer=sequence("pretokenizers", {"type": "Digits", "individual_digits": True}, BYTE_LEVEL), post_processor=BYTE_LEVEL),
    "BPE": config(bpe(), pre_tokenizer={"type": "Whitespace"}, decoder={"type": "Fuse"}),
    "BPE, fused unknown": config(bpe(fuse_unk=True)),
    "BPE, ignore merges": config(bpe(ignore_merges=True, merges=MERGES[:3]), pre_tokenizer={"type": "Whitespace"}),
    "BPE, suffix": config(suffixed(), pre_tokenizer=SPLIT, decoder={"type": "BPEDecoder", "suffix": "</w>"}),
    "BPE, prefix": config(prefixed(), pre_tokenizer=SPLIT, decoder={"type": "WordPiece", "prefix": "##", "cleanup": True}),
    "BPE, byte fallback": config(fallback(), decoder=sequence("decoders", {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 1})),
    "WordPiece": config({"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 12, "vocab": {t: i for i, t in enumerate(["[UNK]", *CHARS, *("##" + c for c in CHARS), "the", "##ing", "##in", ".", "##😀"])}}, normalizer=BERT, pre_tokenizer={"type": "BertPreTokenizer"}, decoder={"type": "WordPiece", "prefix": "##", "cleanup": True}),
    "Unigram": config(unigram(), pre_tokenizer=METASPACE, decoder=METASPACE),
    "Unigram, byte fallback": config(unigram(byte_fallback=True, vocab=unigram()["vocab"] + [[f"<0x{b:02X}>", -20.0] for b in range(256)]), pre_tokenizer=METASPACE, decoder=sequence("decoders", {"type": "ByteFallback"}, METASPACE)),
    "TemplateProcessing": config(pre_tokenizer=SPLIT, post_processor=TEMPLATE),
    "BertProcessing": config(pre_tokenizer=SPLIT, post_processor=BERT_POST),
    "RobertaProcessing": config(pre_tokenizer=BYTE_LEVEL, post_processor=ROBERTA),
    "Sequence of processors": config(pre_tokenizer=BYTE_LEVEL, post_processor=sequence("processors", BYTE_LEVEL, TEMPLATE)),
    "added tokens": config(bpe(), normalizer={"type": "Lowercase"}, pre_tokenizer={"type": "Whitespace"}, decoder={"type": "Fuse"}, added_tokens=[
        added("[CLS]", 73, special=True), added("[MASK]", 74, lstrip=True), added("<s>", 75, rstrip=True, special=True),
        added("Def", 76, normalized=True), added("x", 24, single_word=True), added("</s>", 77, lstrip=True, rstrip=True), added("<bos>x", 78), added("<bos>", 79)]),
    **{f"truncation, {d}": config(pre_tokenizer=SPLIT, post_processor=TEMPLATE, truncation={"direction": d, "max_length": 9, "strategy": "LongestFirst", "stride": 2}) for d in ["Left", "Right"]},
    "truncation, OnlySecond": config(pre_tokenizer=SPLIT, post_processor=BERT_POST, truncation={"direction": "Right", "max_length": 14, "strategy": "LongestFirst", "stride": 0}, padding={"strategy": {"Fixed": 16}, "direction": "Left", "pad_to_multiple_of": None, "pad_id": 3, "pad_type_id": 7, "pad_token": "▁"}),
    "padding": config(pre_tokenizer=SPLIT, padding={"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": 8, "pad_id": 0, "pad_type_id": 0, "pad_token": "[UNK]"}),
}


def decoded(tokenizer, ids):
    """None where the reference panics, as its Strip decoder does on short texts."""
    try:
        return tokenizer.decode(ids)
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        return None


def part_goldens(utf16_offsets, well_formed):
    def described(encoding, texts):
        ranges = [utf16_offsets(text, [(0, len(text))])[0][1] for text in texts]
        places = []
        for offset, kind in zip(encoding.offsets, encoding.sequence_ids):
            places.append(utf16_offsets(texts[kind or 0], [offset])[0] if kind is not None else list(offset))
        assert all(end <= max(ranges, default=0) for _, end in places)
        value = {"ids": encoding.ids, "tokens": encoding.tokens, "offsets": [n for place in places for n in place],
                 "words": encoding.word_ids, "types": encoding.type_ids, "special": encoding.special_tokens_mask,
                 "attention": encoding.attention_mask}
        return value | ({"overflowing": [described(part, texts) for part in encoding.overflowing]} if encoding.overflowing else {})

    parts = []
    for name, json_config in PARTS.items():
        tokenizer = Tokenizer.from_str(json.dumps(json_config))
        cases = []
        for text_name in CHOSEN:
            text = well_formed(WORDS[text_name])
            encoding = tokenizer.encode(text)
            case = {"text": text_name} | described(encoding, [text])
            cases.append(case | {"decoded": decoded(tokenizer, encoding.ids)})
        pair = ["the first  text is a little longer, and has an end", "The second, a short one"]
        pairs = [described(tokenizer.encode(*texts), texts) for texts in (pair, pair[::-1])]
        batch = tokenizer.encode_batch(pair)
        parts.append({"name": name, "config": json_config, "cases": cases, "pairs": pairs,
                      "batch": [encoding.ids for encoding in batch]})
    return {"pair": pair, "parts": parts}
