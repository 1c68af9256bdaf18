"""What Hugging Face's tokenizers makes of a corpus: hashes for each 100 lines, and the hard texts whole."""

import hashlib
import json
import pathlib
import sys

import tokenizers
from tokenizers import Tokenizer

from chats import chat_goldens
from combinations import combination_goldens
from hard import hard_texts
import sentencepiece_cases
import templates
from sources import bert, sentencepiece_goldens, sentencepiece_unigram
from parts import part_goldens
from training import training_goldens

corpus_path, models, out = (pathlib.Path(argument) for argument in sys.argv[1:4])
LINES = json.loads(corpus_path.read_text(encoding="utf-8"))


def well_formed(text):
    """Unpaired surrogates count as U+FFFD; the reference cannot take them."""
    return "".join("\ufffd" if 0xD800 <= ord(c) <= 0xDFFF else c for c in text)


def utf16_offsets(text, offsets):
    """Offsets in UTF-16 code units."""
    places = [0]
    for char in text:
        places.append(places[-1] + (2 if ord(char) > 0xFFFF else 1))
    return [[places[start], places[end]] for start, end in offsets]


def digest(lines):
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def flat(pairs):
    return ",".join(f"{start}-{end}" for start, end in pairs)


def encoded(tokenizer, text):
    sound = well_formed(text)
    encoding = tokenizer.encode(sound)
    return encoding, utf16_offsets(sound, encoding.offsets)


def golden(tokenizer):
    ids, offsets = [], []
    for start in range(0, len(LINES), 100):
        block = [encoded(tokenizer, line) for line in LINES[start : start + 100]]
        ids.append(digest(",".join(map(str, encoding.ids)) for encoding, _ in block))
        offsets.append(digest(flat(places) for _, places in block))
    hard = []
    for name, text in hard_texts().items():
        encoding, places = encoded(tokenizer, text)
        hard.append(
            {
                "name": name,
                "ids": encoding.ids,
                "offsets": digest([flat(places)]),
                "tokens": digest(encoding.tokens),
                "words": digest([",".join("" if w is None else str(w) for w in encoding.word_ids)]),
                "decoded": tokenizer.decode(encoding.ids),
            }
        )
    return {"ids": ids, "offsets": offsets, "hard": hard}


def write(name, value):
    header = {
        "source": "tokenizers (Python), Hugging Face",
        "version": f"tokenizers {tokenizers.__version__}",
        "script": "tools/goldens/tokenizers/make.py",
    }
    path = out / f"{name}.json"
    with open(path, "w", encoding="utf-8") as file:
        json.dump(header | value, file, ensure_ascii=True, separators=(",", ":"))
        file.write("\n")
    print(path.name, path.stat().st_size)


write("hard", {"texts": [{"name": name, "text": text} for name, text in hard_texts().items()]})
files = {name: models / f"tokenizer-{name}/models/tokenizer.json" for name in ["gpt2", "llama2", "llama3", "gemma3"]}
for name, path in files.items():
    write(name, golden(Tokenizer.from_file(str(path))))
write("bert", golden(bert(out)))
write("unigram", golden(sentencepiece_unigram(LINES, out)))
write("sentencepiece", sentencepiece_goldens(LINES, out, digest))
write("chats", chat_goldens(models))
templates.main(out)
sentencepiece_cases.main(out)
write("parts", part_goldens(utf16_offsets, well_formed))
write("combinations", combination_goldens(out))
write("training", training_goldens(LINES, out))
