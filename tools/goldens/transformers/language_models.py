"""What every golden of a decoder is asked: scores and gradients of padded rows, and 40 greedy tokens."""

from golden import double_precision, generator, next_token_labels, record, token_ids
import torch

NEXT = "mean over labels ≠ −100 of the cross entropy of logits[:, t] with labels[:, t + 1]"
# Which id means what matters nowhere but in GPT-2's classifier, which looks for the last token.
IDS = {"bos_token_id": None, "eos_token_id": None, "pad_token_id": None}
GREEDY_TOKENS = 40


def language_model(name, kind, config, side="right", length=11, lengths=(11, 7, 4), **options):
    random = generator(name)
    ids, mask = token_ids(random, config.vocab_size, lengths, length, side, pad=None)
    labels = next_token_labels(random, config.vocab_size, mask)
    record(name, kind, config, {"input_ids": ids, "attention_mask": mask, "labels": labels}, NEXT, random=random, **options)


def greedy(model, prompt):
    """The tokens that `generate` appends with a cache, in float64; none of them may be a near tie."""
    with double_precision(), torch.no_grad():
        made = model.generate(
            prompt, attention_mask=torch.ones_like(prompt), do_sample=False, max_new_tokens=GREEDY_TOKENS,
            min_new_tokens=GREEDY_TOKENS, return_dict_in_generate=True, output_logits=True, pad_token_id=0,
        )
    best = torch.stack(made.logits).topk(2).values
    margin = (best[..., 0] - best[..., 1]).min().item()
    return made.sequences[0, prompt.shape[1] :].tolist(), margin


def with_greedy(name, kind, config, *arguments, **options):
    """A golden with 40 greedy tokens behind a short prompt, in `expected.json`."""

    def note(model):
        random = generator(f"{name} greedy")
        # Another prompt where two tokens are so near that rounding may choose between them.
        while True:
            prompt = torch.randint(2, config.vocab_size, (1, 5), generator=random)
            tokens, margin = greedy(model, prompt)
            if margin > 1e-3:
                return {"greedy": {"prompt": prompt[0].tolist(), "tokens": tokens}}

    language_model(name, kind, config, *arguments, note=note, **options)
