"""Scores after every logits processor and warper of Hugging Face's generate, in the order in which generate puts them together."""

import math
import random as choices

import torch
from golden import random, seeded, write
from transformers import GenerationConfig, GPT2Config, GPT2LMHeadModel

torch.set_default_dtype(torch.float32)
VOCABULARY = 23
model = GPT2LMHeadModel(GPT2Config(vocab_size=VOCABULARY, n_positions=64, n_embd=8, n_layer=1, n_head=2))
model.generation_config = GenerationConfig()


def numbers(tensor):
    """9 significant digits; null for −∞."""
    return [None if v == -math.inf else float(f"{v:.9g}") for v in tensor.flatten().tolist()]


def processed(scores, sequence, prompt_length, config):
    generation = GenerationConfig(pad_token_id=0, **config)
    model._prepare_special_tokens(generation, False, device="cpu")
    ids = torch.tensor([sequence])
    processors = model._get_logits_processor(
        generation, prompt_length, encoder_input_ids=ids[:, :prompt_length], device="cpu", model_kwargs={},
    )
    return processors(ids, scores[None])[0]


def case(seed, sequence, prompt_length, config, scale=2.0):
    scores = random(seeded(seed), VOCABULARY, scale=scale).float()
    return {
        "config": config, "sequence": sequence, "promptLength": prompt_length, "scores": numbers(scores),
        "expected": numbers(processed(scores, sequence, prompt_length, config)),
    }


# The prompt is [3, 17, 5, 17, 5]; n-grams repeat in it and in what follows.
prompt = [3, 17, 5, 17, 5]
made = [9, 3, 17]
whole = prompt + made
sampled = {"do_sample": True, "top_k": 0}
single = [
    {"repetition_penalty": 1.7}, {"repetition_penalty": 0.6},
    {"encoder_repetition_penalty": 1.6}, {"encoder_repetition_penalty": 0.7},
    {"no_repeat_ngram_size": 1}, {"no_repeat_ngram_size": 2}, {"no_repeat_ngram_size": 3}, {"no_repeat_ngram_size": 9},
    {"encoder_no_repeat_ngram_size": 1}, {"encoder_no_repeat_ngram_size": 2}, {"encoder_no_repeat_ngram_size": 3},
    {"sequence_bias": [[[4], 2.5], [[17, 5], -3.25], [[3, 17, 6], 1.5], [[9, 9], 7.0], [[8], -0.5]]},
    {"sequence_bias": [[[4], 2.5], [[17, 4], 1.25], [[3, 17, 4], 1.5], [[4, 4, 4, 4, 4, 4, 4, 4, 4, 4], 7.0]]},
    {"bad_words_ids": [[4], [17, 5], [3, 17, 6], [9, 9]]},
    {"bad_words_ids": [[4], [7]], "eos_token_id": 7},
    {"min_length": 9, "eos_token_id": [7, 11]}, {"min_length": 8, "eos_token_id": [7, 11]},
    {"min_new_tokens": 4, "eos_token_id": [7, 11]}, {"min_new_tokens": 3, "eos_token_id": 7},
    {"forced_bos_token_id": 4},
    {"forced_eos_token_id": 7, "max_length": 9}, {"forced_eos_token_id": [7, 11], "max_length": 9},
    {"forced_eos_token_id": 7, "max_length": 10},
    {"exponential_decay_length_penalty": [1, 1.3], "eos_token_id": [7, 11]},
    {"exponential_decay_length_penalty": [3, 1.3], "eos_token_id": 7},
    {"exponential_decay_length_penalty": [0, 0.8], "eos_token_id": 7},
    {"suppress_tokens": [2, 4, 19]}, {"begin_suppress_tokens": [2, 4, 19]},
    *({**sampled, **warper} for warper in [
        {"temperature": 0.5}, {"temperature": 1.8}, {"top_k": 4}, {"top_k": 1}, {"top_p": 0.6}, {"top_p": 0.95},
        {"min_p": 0.1}, {"min_p": 0.4}, {"typical_p": 0.2}, {"typical_p": 0.6}, {"typical_p": 0.95},
        {"epsilon_cutoff": 0.02}, {"epsilon_cutoff": 0.09}, {"epsilon_cutoff": 0.9},
        {"eta_cutoff": 0.003}, {"eta_cutoff": 0.2}, {"eta_cutoff": 0.9},
    ]),
]
cases = [case(seed, whole, len(prompt), config) for seed, config in enumerate(single)]
# The first token of a continuation.
cases += [
    case(90, prompt, len(prompt), {"begin_suppress_tokens": [2, 4, 19]}),
    case(91, [3], 1, {"forced_bos_token_id": 4, "begin_suppress_tokens": [4]}),
    case(92, [3], 1, {"forced_bos_token_id": 4}),
    case(93, [3, 4], 1, {"forced_bos_token_id": 4, "begin_suppress_tokens": [2, 19]}),
    case(94, prompt, len(prompt), {"min_new_tokens": 1, "eos_token_id": 7}),
]

# Several at once.
pick = choices.Random(14)
parts = {
    "temperature": [0.7, 1.3], "top_k": [0, 6, 12], "top_p": [0.5, 0.9], "min_p": [0.02, 0.1], "typical_p": [0.4, 0.9],
    "epsilon_cutoff": [0.01, 0.05], "eta_cutoff": [0.01, 0.1], "repetition_penalty": [1.3, 0.8],
    "encoder_repetition_penalty": [1.2, 0.9], "no_repeat_ngram_size": [2, 3], "encoder_no_repeat_ngram_size": [2],
    "sequence_bias": [[[[4], 2.5], [[17, 6], -1.25]]], "bad_words_ids": [[[12], [17, 8]]],
    "min_new_tokens": [2, 6], "exponential_decay_length_penalty": [[1, 1.2]], "suppress_tokens": [[1, 2]],
}
for seed in range(100, 140):
    chosen = {name: pick.choice(values) for name, values in parts.items() if pick.random() < 0.4}
    cases.append(case(seed, whole, len(prompt), {**sampled, "eos_token_id": [7, 11], **chosen}))

# What Hugging Face has no processor for, by its formula.
for seed, options in enumerate([
    {"frequencyPenalty": 0.4}, {"presencePenalty": 0.6}, {"frequencyPenalty": 0.4, "presencePenalty": -0.6},
    {"topNSigma": 0.5}, {"topNSigma": 1.0}, {"topNSigma": 2.0, "temperature": 1.6},
], 200):
    scores = random(seeded(seed), VOCABULARY, scale=2.0).float()
    counts = torch.tensor([whole.count(id) for id in range(VOCABULARY)])
    expected = scores - options.get("frequencyPenalty", 0) * counts - options.get("presencePenalty", 0) * (counts > 0)
    expected = expected / options.get("temperature", 1.0)
    if "topNSigma" in options:
        bound = expected.max() - options["topNSigma"] * expected.std(correction=0)
        expected = expected.masked_fill(expected < bound, -math.inf)
    cases.append({
        "config": {}, "options": options, "sequence": whole, "promptLength": len(prompt), "scores": numbers(scores),
        "expected": numbers(expected),
    })
write("generation", "processors", "processors", cases, "transformers")
