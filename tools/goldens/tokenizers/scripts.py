"""The scripts by which the reference's UnicodeScripts cuts, asked of it character by character, as a table in TypeScript.

    python scripts.py ../../../packages/tokenizers/src/pre-tokenizers/script-ranges.ts
"""

import pathlib
import sys

import tokenizers
from tokenizers import pre_tokenizers

cutter = pre_tokenizers.UnicodeScripts()


def pieces(text):
    return [span for _, span in cutter.pre_tokenize_str(text)]


def scripts():
    """The code points of each script in order, as ranges; Han has Hiragana and Katakana, and a space is in none."""
    every = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    # A character of no script alone gives no piece.
    known = [code for code in every if pieces(chr(code))]
    found = []
    for start, end in pieces("".join(map(chr, known))):
        run = known[start:end]
        own = next((ranges for ranges in found if len(pieces(chr(ranges[0][0]) + chr(run[0]))) == 1), None)
        if own is None:
            own = []
            found.append(own)
        for code in run:
            if own and own[-1][1] == code:
                own[-1][1] = code + 1
            else:
                own.append([code, code + 1])
    return found


def base36(number):
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return (base36(number // 36) if number >= 36 else "") + digits[number % 36]


def line(ranges):
    at, parts = 0, []
    for start, end in ranges:
        parts.append(f"{base36(start - at)} {base36(end - start)}")
        at = end
    return " ".join(parts)


def wrapped(text, width=96):
    lines = [""]
    for word in text.split(" "):
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return lines


lines = [part for ranges in scripts() for part in [*wrapped(line(ranges)), ""]]
body = "\n".join("  " + part if part else "" for part in lines[:-1])
pathlib.Path(sys.argv[1]).write_text(f"""// Written by tools/goldens/tokenizers/scripts.py from tokenizers {tokenizers.__version__}, whose scripts are those of Unicode 10.

/**
 * The code points of each script, scripts apart by empty lines: in base 36, how many lie between a range and the one
 * before it, and how many are in it. Hiragana and Katakana are one script with Han.
 */
export const scriptRanges: string = `
{body}
`;
""", encoding="utf-8")
