"""What SentencePiece itself makes of texts that its conversions get wrong, with small models of every setting."""

import base64
import io
import json
import pathlib
import sys
import tempfile

import sentencepiece

LINES = ["the whale, the white whale", "Call me Ishmael. Some years ago", "never mind how long precisely",
         "having little or no money in my purse", "É À ÇÀ Ñandú ÑANDÚ éÉ"] * 20
# As nmt_nfkc_cf in small: capitals alone and with a combining mark, ligatures, white space, and a character that goes.
RULES = {"E": "e", "E\u0301": "é", "e\u0301": "é", "É": "é", "A": "a", "A\u0300": "à", "À": "à", "Ñ": "ñ", "N\u0303": "ñ",
         "ﬁ": "fi", "\t": " ", "\n": " ", "\u3000": " ", "▁": " ", "\u200b": " ", "\u0007": "", "①": "1", "…": "..."}
TEXTS = ["<s>", "</s> a", "a<unk>b", "a </s>", "<mask>", "▁a", "a▁b", "x<sep>y", "<sep>▁a", "<sep> a", "a <sep> b", " <sep> ",
         "<sep><sep>", "<SEP>", "<Él>E\u0301", " a  b ", "", "  ", "a<cls>", "ÉÀ", "E\u0301A\u0300\u0301", "E\u0300", "\u0301E", "the\u200bwhale",
         "<0x41>", "ab\ncd", "\t\u3000the", "\u0000a", "a\u0007b", "\u0007", "ﬁ…①", "🐋 the whale", "日本", "a ", " a", "▁▁a▁▁", "x▁x▁x",
         "the whale, the white whale never mind", "Call me Ishmael. <sep>Some years ago<mask>", "e\u0301\u0301", "the  <mask>  whale"]
SETTINGS = {
    "unigram": dict(model_type="unigram", vocab_size=90),
    "bpe": dict(model_type="bpe", vocab_size=110),
    "unigram, bytes": dict(model_type="unigram", vocab_size=340, byte_fallback=True),
    "bpe, bytes": dict(model_type="bpe", vocab_size=360, byte_fallback=True),
    "unigram, no prefix": dict(model_type="unigram", vocab_size=90, add_dummy_prefix=False),
    "bpe, no prefix": dict(model_type="bpe", vocab_size=110, add_dummy_prefix=False),
    "unigram, all spaces": dict(model_type="unigram", vocab_size=90, remove_extra_whitespaces=False),
    "bpe, all spaces": dict(model_type="bpe", vocab_size=110, remove_extra_whitespaces=False),
    "unigram, neither": dict(model_type="unigram", vocab_size=90, remove_extra_whitespaces=False, add_dummy_prefix=False),
    "unigram, suffix": dict(model_type="unigram", vocab_size=90, treat_whitespace_as_suffix=True),
    "unigram, padding": dict(model_type="unigram", vocab_size=90, pad_id=3, unk_surface="[?]"),
}


def train(rules, symbols, options):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(LINES), model_writer=model, minloglevel=2, num_threads=1, hard_vocab_limit=False,
        normalization_rule_tsv=rules, user_defined_symbols=symbols, control_symbols=["<cls>"], **options)
    return model.getvalue()


def main(out):
    with tempfile.TemporaryDirectory() as folder:
        rules = pathlib.Path(folder) / "rules.tsv"
        spelled = lambda text: " ".join(f"{ord(char):04X}" for char in text)
        rules.write_text("".join(f"{spelled(a)}\t{spelled(b)}\n" for a, b in RULES.items()), encoding="utf-8")
        models = []
        for name, options in SETTINGS.items():
            for symbols in [[], ["<sep>", "▁x", "<mask>", "<Él>"]]:
                model = train(str(rules), symbols, options)
                processor = sentencepiece.SentencePieceProcessor(model_proto=model)
                ids = [processor.encode(text) for text in TEXTS]
                models.append({
                    "name": name + (", symbols" if symbols else ""),
                    "model": base64.b64encode(model).decode(),
                    "cases": [[some, processor.decode(some)] for some in ids],
                })
    golden = {"source": "SentencePiece", "version": f"sentencepiece {sentencepiece.__version__}",
              "script": "tools/goldens/tokenizers/sentencepiece_cases.py", "texts": TEXTS, "models": models}
    path = out / "sentencepiece-cases.json"
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n", encoding="utf-8")
    print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
