"""MinHash signatures of datatrove: their texts, what simplification and word splitting make of them, and all hashes."""

import json
import random
import sys
from importlib.metadata import version

from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
from datatrove.utils.text import simplify_text
from datatrove.utils.word_tokenizers import load_word_tokenizer

TEXTS = [
    "Call me Ishmael. Some years ago—never mind how long precisely—having little or no money in my purse, and nothing "
    "particular to interest me on shore, I thought I would sail about a little and see the watery part of the world.",
    "I don't think we cannot go; they're gonna say it's 5km, or 3.14 m, or 1,000,000 lb away. Dont you? Youve 7kg!",
    "ÀÉÎÕÜ naïve café Straße İstanbul ΣΊΣΥΦΟΣ résumé coöperate ﬁn ﬂow ½ Å Ω",
    "Price: $5.99, €7, £8.50 or 9€ and 10₽; ©2024 Foo® bar™ 25°C ➜ ok ☺ 😀yes no😀no · middot ¿qué? ¡sí!",
    "١٢٣ arabic ५६ devanagari １２ fullwidth 3٫5 decimal 4⎖5 sep 6،7 comma 3.4.5 dotted 1,2,3 list x2y 2nd",
    "tabs\tand\nnew\r\nlines\u00a0and\u2003wide\u3000spaces \ufeff bom \u200b zero\x1cfile\x85next\x0bvt\x0cff end",
    "one two three four",
    "one two three four five",
    "",
    "！？。、「日本語」 中文（测试）—：；，“” words after them all are here now too",
    "e\u0301 combining a\u0308 marks n\u0303 stay\u0327 here ok ok ok",
    "Ill he'll she'll we'll id I'd im ima thats whats whos y'all wont shant cant gotta lets its",
    "the the the the the the the the the the",
    "emoji 👩‍👩‍👧 family 🇩🇪 flag ★star★ •dot• a→b ≤ ≥ ≠ ± × ÷ § 5 §6 ¶ 7",
]


def noise(seed: int) -> str:
    draw = random.Random(seed)
    alphabet = "abcdefghij" * 3 + " " * 12 + ".,'’-—0123456789\n\té ü € ° ☺"
    return "".join(draw.choice(alphabet) for _ in range(400))


def main(out: str) -> None:
    texts = TEXTS + [noise(seed) for seed in range(4)]
    words = load_word_tokenizer("eng")
    cases = []
    for number, text in enumerate(texts):
        simplified = simplify_text(text)
        case = {"text": text, "simplified": simplified, "words": words.word_tokenize(simplified)}
        cases.append(case)
        # Full signatures of some; the others are held by their words, and by one band.
        step = MinhashDedupSignature("/tmp/dedup-signatures", MinhashConfig(), language="eng")
        shingles = step.get_shingles(text)
        bands = step.get_signature(shingles) if shingles.size else []
        case["signature"] = [f"{h:016x}" for band in (bands if number < 3 else bands[:1]) for h in band]
    other = MinhashConfig(n_grams=3, num_buckets=2, hashes_per_bucket=3, seed=4321)
    step = MinhashDedupSignature("/tmp/dedup-signatures", other, language="eng")
    signature = [f"{h:016x}" for band in step.get_signature(step.get_shingles(TEXTS[0])) for h in band]
    golden = {
        "source": "datatrove",
        "version": version("datatrove"),
        "script": "tools/goldens/dedup/minhash.py",
        "cases": cases,
        "other": {"shingle": 3, "bands": 2, "hashes": 3, "seed": 4321, "signature": signature},
    }
    with open(out, "w", encoding="utf-8") as file:
        json.dump(golden, file, ensure_ascii=False, indent=1)
        file.write("\n")


main(sys.argv[1])
