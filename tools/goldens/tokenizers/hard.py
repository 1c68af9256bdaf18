"""Texts that tokenizers get wrong: many scripts, joiners, marks, white space, control characters, source code."""

import random

WORDS = {
    "latin": "The naïve café's façade — “coöperate”, Ærøskøbing, Łódź, İstanbul, STRASSE straße, ﬁne ﬂow Ǆ ǅ ǆ",
    "greek": "Ἐν ἀρχῇ ἦν ὁ Λόγος, καὶ ὁ ΛΟΓΟΣ ἦν πρὸς τὸν Θεόν. ΣΊΣΥΦΟΣ",
    "cyrillic": "Все счастливые семьи похожи друг на друга; Ёлки, Ћуприја, Їжак, Ѫ",
    "arabic": "إِنَّ اللُّغَةَ العَرَبِيَّةَ ١٢٣٤٥ — لا إله إلا، ﷺ ﻻ",
    "hebrew": "בְּרֵאשִׁית בָּרָא אֱלֹהִים אֵת הַשָּׁמַיִם וְאֵת הָאָרֶץ׃ 42",
    "devanagari": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता १२३ क्‍ष क्‌ष",
    "bengali": "সমস্ত মানুষ স্বাধীনভাবে সমান মর্যাদা এবং অধিকার নিয়ে জন্মগ্রহণ করে ৪৫৬",
    "tamil": "மனிதப் பிறிவியினர் சகலரும் சுதந்திரமாகவே பிறக்கின்றனர் ௧௨௩",
    "thai": "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์ ๑๒๓ กำ",
    "korean": "모든 인간은 태어날 때부터 자유로우며 각 ㄱㄴㄷ 힣 ㅎㅏㄴ",
    "japanese": "すべての人間は、生まれながらにして自由であり、かつ、ﾊﾝｶｸ ｶﾞ が ヴ 　全角１２３ＡＢＣ㍿①",
    "chinese": "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心。𠀀𪚥㐀﨎 繁體字",
    "georgian": "ყველა ადამიანი იბადება თავისუფალი ᲧᲕᲔᲚᲐ",
    "armenian": "Բոլոր մարդիկ ծնվում են ազատ ու հավասար և ﬓ",
    "ethiopic": "ሰው፡ሁሉ፡ነጻ፡ሆኖ፡ይወለዳል። ፩፪፫",
    "tibetan": "འགྲོ་བ་མིའི་རིགས་རྒྱུད་ཡོངས་ལ། ༡༢༣",
    "vietnamese": "Tất cả mọi người sinh ra đều được tự do và bình đẳng; Tất cả",
    "runic": "ᚠᛇᚻ᛫ᛒᛦᚦ᛫ᚠᚱᚩᚠᚢᚱ᛫ 𐌰𐌱𐌲 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟘𝟙𝟚",
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇩🇪🇫🇷 ❤️ 1️⃣ ☎️ 🧑🏿‍🚀🫱🏻‍🫲🏿 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "combining": "e\u0301 a\u030a\u0323 q\u0307\u0323 Z\u0351\u036b\u0343\u036a o\u0308\u0304 \u0344 \u1e9b\u0323 \u0041\u0328\u0301 \u0301x",
    "hangul jamo": "\u1112\u1161\u11ab\u1100\u1173\u11af \uac00\u11a8",
    "zero width": "zero\u200bwidth\u200cnon\u200djoiner\u2060word\ufeffbom\u00adsoft\u034fgrapheme",
    "bom first": "\ufeffBegins with a mark",
    "bidi": "\u202eright to left\u202c \u2066isolate\u2069 \u200eLRM\u200f",
    "spaces": " a  b   c    d\t\te\t f \n g\n\nh\r\ni\r\rj\u00a0k\u00a0\u00a0l\u2003m\u3000n\u1680o\u2028p\u2029q\u0085r\u180es\x0bt\x0cu ",
    "leading spaces": "   three leading and trailing   ",
    "only newlines": "\n\n\n\n",
    "newline then space": "a\n b \n c\n  d \n\n  e\n",
    "crlf": "one\r\ntwo\r\n\r\nthree \r\n four",
    "control": "".join(chr(c) for c in range(1, 32)) + "\x7f\x80\x85\x9f end",
    "nul": "a\x00b\x00\x00c",
    "private use": "\ue000\uf8ff\U000f0000\U0010ffff \ufffe\uffff \ufffd",
    "unpaired surrogates": "a\ud800b \udc00c \ud83d \ude00\ud83d x\udbff",
    "numbers": "0 1 12 123 1234 12345 1,234,567.89 1e-9 ½ ² Ⅷ ① ٣٤ 一二三 3.14159265358979 0xDEADBEEF",
    "contractions": "I'm you're he's it'll we'd they've don't I'M YOU'RE HE'S IT'LL WE'D THEY'VE DON'T 'S 'ſ 'K ''s 'sx 'tis ’s",
    "punctuation": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ... --- ??!! «»„“” … – — ¿¡ §¶†‡ ‰",
    "symbols": "∑∫√∞≠≤≥±×÷ ∀x∈ℝ ⇒ ¬∃ €£¥₹₿ ©®™ °C ← → ↑ ↓ ■□▲△ ♠♣♥♦ ♩♪",
    "low line": "▁already ▁ marked▁up ▁▁two _ underscore__double",
    "byte tokens": "<0x0A> <0x41><0x42> <unk> </w> ## ##ing ##",
    "special tokens": "a<|endoftext|>b <|endoftext|> c<s>d</s> <bos>x<eos> [CLS] [SEP][MASK] [UNK] <|begin_of_text|>hi<|eot_id|> <start_of_turn>user\nhi<end_of_turn>\n <pad>",
    "almost special": "<|endoftext| <|endoftext|<|endoftext|>> <bos <b>bold</b> <table><tr><td></td></tr></table>",
    "url": "https://user:pass@www.example.com:8080/path/to/page.html?q=a+b&x=%20#frag mailto:a.b+c@d-e.co.uk",
    "python": "def f(x: int) -> list[int]:\n    \"\"\"Doc.\"\"\"\n    return [i**2 for i in range(x) if i % 2 == 0]  # even\n\n\tclass A:\n\t\tpass\n",
    "c": "#include <stdio.h>\nint main(void)\n{\n\tprintf(\"%d\\n\", 0x7f << 3 | ~1);\n\treturn 0;\n}\n",
    "javascript": "const a = async ({ b, ...c }) => `${await b?.[0] ?? 'x'}`; // ok\n/* é */ let π = 3.14e0n;\r\n",
    "html": "<!DOCTYPE html>\n<p class=\"a b\">&nbsp;&#x1F600;<br/></p>\n<!-- c -->",
    "json": "{\"a\": [1, 2.5e3, null, true], \"ключ\": \"zn\\u00e1\", \"d\": {}}",
    "tex": "\\begin{equation}\\label{eq:1} \\int_0^\\infty e^{-x^2}\\,dx = \\frac{\\sqrt{\\pi}}{2} \\end{equation}",
    "repeated letters": "a" * 300,
    "repeated words": "buffalo " * 40,
    "repeated emoji": "😀" * 60,
    "repeated newlines": "\n" * 70,
    "repeated tabs": "\t" * 45,
    "repeated punctuation": "=" * 130 + "-" * 70 + "*" * 17,
    "repeated marks": "a" + "\u0301" * 40,
    "long word": "".join("abcdefghijklmnopqrstuvwxyz"[(i * i + 3 * i) % 26] for i in range(400)),
    "mixed": "abcДЕФ123漢字ひらがな한글👍ﬀ½x²",
    "ten thousand spaces": " " * 10_000,
    "spaces and a word": " " * 500 + "word" + " " * 500,
    "empty": "",
    "one space": " ",
    "one letter": "x",
}


def shuffled(count):
    """Texts of characters drawn from all over Unicode and from the texts above."""
    source = random.Random(20_000)
    pools = [
        [chr(c) for c in range(32, 127)],
        list("  \n\t'\"▁") + ["'s", "'ll", "  "],
        [c for text in WORDS.values() for c in text if not 0xD800 <= ord(c) <= 0xDFFF][:4000],
        [chr(c) for c in range(0xA0, 0x2FFF) if chr(c).isprintable()],
        [chr(c) for c in (*range(0x1F300, 0x1F650), *range(0x4E00, 0x4F00), *range(0xAC00, 0xAC80), *range(0x300, 0x340))],
    ]
    texts = {}
    for i in range(count):
        chosen = source.choices(pools, k=source.randint(1, 3))
        texts[f"shuffled {i}"] = "".join(
            source.choice(source.choice(chosen)) for _ in range(source.randint(1, 60))
        )
    return texts


def hard_texts():
    return WORDS | shuffled(300)
