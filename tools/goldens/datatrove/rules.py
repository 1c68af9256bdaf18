"""Writes spaCy's rules of English tokenization as a TypeScript module: python rules.py OUT"""
import re
import sys

import spacy
from spacy.symbols import ORTH

SYNTAX = set("^$\\.*+?()[]{}|/")
CLASSES = {"w": r"[\p{L}\p{N}_]", "d": r"\p{Nd}", "S": "[^]"}


def javascript(pattern: str) -> str:
    """The same expression for JavaScript's `u` flag, which allows no needless escapes."""
    pattern = re.sub(r"\\U000([0-9A-Fa-f]{5})", r"\\u{\1}", pattern)
    out, inside = [], False
    i = 0
    while i < len(pattern):
        c = pattern[i]
        if c == "\\":
            e = pattern[i + 1]
            i += 2
            if e in CLASSES:
                out.append(CLASSES[e].strip("[]") if inside and e == "w" else CLASSES[e])
            elif e == "u" or e in SYNTAX or (e == "-" and inside):
                out.append("\\" + e)
            else:
                assert not e.isalnum(), e
                out.append(e)
            continue
        if c == "[" and inside:
            c = "\\["
        elif c == "[":
            inside = True
        elif c == "]":
            inside = False
        out.append(c)
        i += 1
    return "".join(out)


def main(path: str) -> None:
    tokenizer = spacy.blank("en").tokenizer
    assert tokenizer.token_match is None and tokenizer.faster_heuristics
    rules = []
    for text, parts in sorted(tokenizer.rules.items()):
        orths = [part[ORTH] for part in parts]
        assert "".join(orths) == text
        if text.strip():  # a blank token is not a word
            assert " " not in text
            rules.append(" ".join(orths))
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"// Made by tools/goldens/datatrove/rules.py of spaCy {spacy.__version__} (MIT licence), spacy.blank('en').\n\n")
        file.write("const tick = '`';\n\n")
        for name, search in [
            ("prefixPattern", tokenizer.prefix_search),
            ("suffixPattern", tokenizer.suffix_search),
            ("infixPattern", tokenizer.infix_finditer),
            ("urlPattern", tokenizer.url_match),
        ]:
            source = javascript(search.__self__.pattern.removeprefix("(?u)"))
            file.write(f"export const {name}: string = String.raw`{source.replace('`', '${tick}')}`;\n\n")
        text = "\n".join(rules)
        file.write("/** Words with their own parts, a line each, with blanks between the parts. */\n")
        file.write(f"export const exceptions: string = String.raw`{text.replace('`', '${tick}')}`;\n")


main(sys.argv[1])
