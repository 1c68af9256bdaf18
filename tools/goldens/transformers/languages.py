"""A tokenizer of NLLB's kind, its ids for a text in several languages, and what `m2m100` generates for them: languages.py GOLDENS TARGET"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForSeq2SeqLM, NllbTokenizer

goldens, target = map(Path, sys.argv[1:])
vocabulary = ["<s>", "<pad>", "</s>", "<unk>", *"▁abcdefghijklmnopqrstuvwxyz", *(f"x{c}" for c in "abcdefghijklmnopqr")]
languages = ["eng_Latn", "fra_Latn", "deu_Latn"]
tokenizer = NllbTokenizer(
    vocab={token: i for i, token in enumerate(vocabulary)}, merges=[], extra_special_tokens=languages, src_lang="eng_Latn",
)
assert tokenizer.convert_tokens_to_ids(languages) == [50, 51, 52]
model = AutoModelForSeq2SeqLM.from_pretrained(goldens / "m2m100", dtype=torch.float64).eval()
cases = []
for source in ("eng_Latn", "fra_Latn"):
    for written in ("fra_Latn", "deu_Latn"):
        tokenizer.src_lang = source
        given = tokenizer("a cat sat", return_tensors="pt")
        out = model.generate(
            **given, forced_bos_token_id=tokenizer.convert_tokens_to_ids(written), max_new_tokens=12, do_sample=False,
            repetition_penalty=3.0,
        )
        ids = out[0, 1:].tolist()
        text = tokenizer.decode(ids, skip_special_tokens=True)
        cases.append({"source": source, "target": written, "ids": given.input_ids[0].tolist(), "made": ids, "text": text})
tokenizer.src_lang = "eng_Latn"
target.mkdir(parents=True, exist_ok=True)
with tempfile.TemporaryDirectory() as folder:
    tokenizer.save_pretrained(folder)
    shutil.copy(Path(folder) / "tokenizer.json", target / "tokenizer.json")
note = {"source": "transformers", "version": transformers.__version__, "script": "tools/goldens/transformers/languages.py", "cases": cases}
(target / "expected.json").write_text(json.dumps(note, ensure_ascii=False, indent=1) + "\n")
for case in cases:
    print(case)
