"""What Hugging Face's generate makes of generation configurations, greedily, with the tiny GPT-2 of gpt2.py."""

import base64
import json
import tempfile
from pathlib import Path

import torch
from golden import packages, write
from transformers import GPT2LMHeadModel, GenerationConfig

golden = json.loads((packages / "models" / "src" / "goldens" / "gpt2.json").read_text())
with tempfile.TemporaryDirectory() as folder:
    for name, text in golden["cases"][0]["folder"].items():
        (Path(folder) / name).write_bytes(base64.b64decode(text))
    model = GPT2LMHeadModel.from_pretrained(folder).double().eval()
model.generation_config = GenerationConfig()
torch.set_default_dtype(torch.float32)  # which the processors expect


def made(prompt, config, negative=None):
    """The new tokens, without the end token and what follows it."""
    generation = GenerationConfig(pad_token_id=0, **config)
    guide = {} if negative is None else {"negative_prompt_ids": torch.tensor([negative])}
    ids = model.generate(torch.tensor([prompt]), generation_config=generation, **guide)[0, len(prompt):].tolist()
    ends = config.get("eos_token_id") or []
    ends = ends if isinstance(ends, list) else [ends]
    return next((ids[:i] for i, id in enumerate(ids) if id in ends), ids)


prompt = [3, 17, 5]
plain = made(prompt, {"max_new_tokens": 9})
a, b, c, d = plain[:4]
configs = [
    (prompt, {"max_new_tokens": 9}),
    (prompt, {"max_length": 8}),
    (prompt, {"max_length": 5, "max_new_tokens": 4}),
    (prompt, {"max_new_tokens": 9, "eos_token_id": d}),
    (prompt, {"max_new_tokens": 9, "eos_token_id": [30, b]}),
    (prompt, {"max_new_tokens": 9, "eos_token_id": d, "min_new_tokens": 6}),
    (prompt, {"max_new_tokens": 9, "eos_token_id": d, "min_length": 8}),
    (prompt, {"max_new_tokens": 9, "repetition_penalty": 1.8}),
    (prompt, {"max_new_tokens": 9, "repetition_penalty": 0.7}),
    ([4, 9, 4, 9, 4], {"max_new_tokens": 8, "no_repeat_ngram_size": 1}),
    ([4, 9, 4, 9, 4], {"max_new_tokens": 8, "no_repeat_ngram_size": 2}),
    ([4, 9, 4, 9, 4], {"max_new_tokens": 8, "no_repeat_ngram_size": 3}),
    (prompt, {"max_new_tokens": 9, "bad_words_ids": [[a], [c, d], [17, 5, b]]}),
    (prompt, {"max_new_tokens": 9, "bad_words_ids": [[3, 17, 5, a]]}),
    (prompt, {"max_new_tokens": 9, "bad_words_ids": [[0, 3, 17, 5, a]]}),
    (prompt, {"max_new_tokens": 9, "bad_words_ids": [[d]], "eos_token_id": d}),
    (prompt, {"max_new_tokens": 9, "suppress_tokens": [a, c]}),
    (prompt, {"max_new_tokens": 9, "begin_suppress_tokens": [a, b]}),
    ([3], {"max_new_tokens": 9, "forced_bos_token_id": 7, "begin_suppress_tokens": list(range(20))}),
    (prompt, {"max_new_tokens": 9, "forced_bos_token_id": 7}),
    (prompt, {"max_new_tokens": 6, "forced_eos_token_id": 11}),
    (prompt, {"max_length": 9, "forced_eos_token_id": 11, "eos_token_id": 11}),
    (prompt, {"max_new_tokens": 9, "temperature": 0.1, "top_k": 3, "typical_p": 0.5}),
    (prompt, {
        "max_new_tokens": 9, "repetition_penalty": 1.3, "no_repeat_ngram_size": 2, "suppress_tokens": [b],
        "bad_words_ids": [[c]], "eos_token_id": [d], "min_new_tokens": 4,
    }),
    (prompt, {"max_new_tokens": 9, "sequence_bias": [[[a], -2.0], [[b, c], -9.0], [[21], 0.75]]}),
    ([4, 9, 4, 9, 4], {"max_new_tokens": 8, "encoder_no_repeat_ngram_size": 2}),
    (prompt, {"max_new_tokens": 9, "encoder_repetition_penalty": 3.5}),
    (prompt, {"max_new_tokens": 9, "eos_token_id": 11, "exponential_decay_length_penalty": [2, 1.9]}),
    (prompt, {"max_new_tokens": 6, "forced_eos_token_id": [12, 11]}),
    (prompt, {"max_new_tokens": 9, "guidance_scale": 1.7}),
    (prompt, {"max_new_tokens": 9, "guidance_scale": 0.4}),
]
write("generation", "generate", "generate", [{
    "folder": golden["cases"][0]["folder"],
    "generations": [
        {"prompt": ids, "config": config, "made": made(ids, config)} for ids, config in configs
    ] + [
        {"prompt": prompt, "config": config, "negativePrompt": negative, "made": made(prompt, config, negative)}
        for negative, config in [
            ([a, b, 9], {"max_new_tokens": 9, "guidance_scale": 2.5}),
            ([8], {"max_new_tokens": 9, "guidance_scale": 1.5, "repetition_penalty": 1.3}),
        ]
    ],
}], "transformers")
