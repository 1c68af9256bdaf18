"""Does with datatrove what `pnpm bench data` times, once for each line read.

    python datatrove-step.py < requests

The first line is JSON: { task, texts, tokenizer }, with `task` one of filters, tokenize and minhash. Each further line asks for a pass over
all texts, answered by a line of JSON { ms }, of the processor. In one thread.
"""

import json
import os
import sys
import time

os.environ["RAYON_NUM_THREADS"] = "1"

request = json.loads(sys.stdin.readline())
texts = request["texts"]


def filters():
    from datatrove.data import Document
    from datatrove.pipeline import filters as rules

    steps = [
        rules.GopherRepetitionFilter(),
        rules.GopherQualityFilter(),
        rules.C4QualityFilter(),
        rules.FineWebQualityFilter(),
    ]

    def run():
        for text in texts:
            document = Document(text=text, id="")
            for step in steps:
                if step.filter(document) is not True:
                    break

    return run


def tokenize():
    # What datatrove's DocumentTokenizer calls, in its batches.
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(request["tokenizer"])
    return lambda: tokenizer.encode_batch(texts)


def minhash():
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature

    step = MinhashDedupSignature("/tmp/headwise-unused", MinhashConfig(), language="eng")

    def run():
        for text in texts:
            shingles = step.get_shingles(text)
            if shingles.size:
                step.get_signature(shingles)

    return run


run = {"filters": filters, "tokenize": tokenize, "minhash": minhash}[request["task"]]()
for _ in sys.stdin:
    start = time.process_time()
    run()
    print(json.dumps({"ms": 1000 * (time.process_time() - start)}), flush=True)
