"""Two hundred questions with two to five options, made from lists of words: `questions.jsonl`, under the license of this repository."""

import json
import random
import sys
from pathlib import Path

KINDS = {
    "an animal": ["a cat", "a sperm whale", "a mouse", "a crow", "a salmon", "an ant", "a grey heron"],
    "a fruit": ["a pear", "an apple", "a fig", "a ripe plum", "a lemon", "a quince"],
    "a tool": ["a saw", "a hammer", "a chisel", "a pair of pliers", "a file", "a plane"],
    "a colour": ["red", "blue", "pale green", "violet", "white"],
    "a river": ["the Nile", "the Rhine", "the Amazon", "the Guadalquivir", "the Elbe"],
    "a Greek letter": ["α", "beta", "γάμμα", "delta", "Ω"],
    "a meal": ["breakfast", "lunch", "a late supper", "crème brûlée"],
    "a number": ["seven", "12", "one hundred", "4.5", "120"],
}
FORMS = ["Which of these is {}?", "Name {} of these.", "What here is {}?"]

random.seed(200)
kinds = list(KINDS)
with Path(sys.argv[1], "questions.jsonl").open("w") as file:
    for n in range(200):
        kind = kinds[n % len(kinds)]
        wrong = random.sample([word for other in kinds if other != kind for word in KINDS[other]], random.randint(1, 4))
        answer = random.randint(0, len(wrong))
        options = [*wrong[:answer], random.choice(KINDS[kind]), *wrong[answer:]]
        question = random.choice(FORMS).format(kind)
        file.write(json.dumps({"question": question, "options": options, "answer": answer}, ensure_ascii=False) + "\n")
