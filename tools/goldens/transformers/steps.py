"""Twenty steps of training a tiny model in float64: its losses, and its weights after the last one."""

import json
import sys
from pathlib import Path

import torch
import transformers
from golden import double_precision, fill, generator, reload, save_checkpoint, saved_names
from safetensors.torch import load_file, save_file
from transformers import (
    BertConfig, BertForMaskedLM, BertForQuestionAnswering, BertForSequenceClassification, BertForTokenClassification,
    BertModel, GPT2Config, GPT2LMHeadModel, T5Config, T5ForConditionalGeneration,
)

folder = Path(sys.argv[1])
(folder / "after").mkdir(parents=True, exist_ok=True)
RATE, STEPS, VOCABULARY = 3e-3, 20, 31


def bert(**options):
    return BertConfig(
        vocab_size=VOCABULARY, hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=20,
        max_position_embeddings=12, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, **options)


MODELS = {
    "gpt2": (GPT2LMHeadModel, GPT2Config(
        vocab_size=VOCABULARY, n_positions=24, n_embd=12, n_layer=2, n_head=3, n_inner=20, embd_pdrop=0.0,
        attn_pdrop=0.0, resid_pdrop=0.0, bos_token_id=None, eos_token_id=None)),
    "t5": (T5ForConditionalGeneration, T5Config(
        vocab_size=VOCABULARY, d_model=12, d_kv=5, d_ff=20, num_layers=2, num_decoder_layers=1, num_heads=3,
        relative_attention_num_buckets=8, relative_attention_max_distance=20, dropout_rate=0.0,
        decoder_start_token_id=0)),
    "bert": (BertModel, bert()),
    "bert-masked-lm": (BertForMaskedLM, bert()),
    "bert-sequence-classification": (BertForSequenceClassification, bert(num_labels=3)),
    "bert-token-classification": (BertForTokenClassification, bert(num_labels=4)),
    "bert-question-answering": (BertForQuestionAnswering, bert()),
}


def make_models():
    """Writes the weights that training begins with."""
    for name, (kind, config) in MODELS.items():
        model = kind(config).eval()
        fill(model, generator(f"steps of {name}"))
        save_checkpoint(model, folder / name)


def decaying(parameters, decay):
    """Weight decay of matrices alone."""
    return [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]


def adamw(names):
    return torch.optim.AdamW(decaying(list(names.values()), 0.01), lr=RATE)


def run(title, name, batches, loss_of=lambda model, given: model(**given).loss, *, optimizer=adamw, change=None,
        scale=None):
    """The losses, clipped at a norm of 1; the batches take turns. The weights go to a file of the folder `after`."""
    saved = load_file(folder / name / "model.safetensors")
    with double_precision():
        model = reload(MODELS[name][0], folder / name, saved)
        for key, value in (change or {}).items():
            setattr(model.config, key, value)
        names = saved_names(model, saved)
        if scale is not None:
            model.scale = names["scale"] = torch.nn.Parameter(torch.tensor(scale))
        steps = optimizer(names)
        losses = []
        for step in range(STEPS):
            given = {k: v.double() if v.is_floating_point() else v for k, v in batches[step % len(batches)].items()}
            loss = loss_of(model, given)
            losses.append(float(f"{loss.item():.9g}"))
            model.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(list(names.values()), 1.0)
            steps.step()
    after = {key: p.detach().float().contiguous().clone() for key, p in names.items()}
    file = f"after/{title.lower().replace(' ', '-')}.safetensors"
    save_file(after, folder / file)
    plain = [{k: {"shape": list(v.shape), "data": v.flatten().tolist()} for k, v in b.items()} for b in batches]
    print(title, losses[0], losses[-1])
    return {"model": name, "after": file, "batches": plain, "losses": losses}


def write(path, script, cases):
    note = {"source": "transformers", "version": transformers.__version__, "torch": torch.__version__,
            "script": f"tools/goldens/transformers/{script}", "rate": RATE}
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    path.write_text(json.dumps(note)[:-1] + ',\n"cases": [\n' + lines + "\n]}\n")
    print(len(cases), path.stat().st_size)
