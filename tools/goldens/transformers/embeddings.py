"""Embeddings of token sequences with the pooling of sentence-transformers, from the checkpoints of the other scripts."""

import json
import sys
from pathlib import Path

import torch
import transformers
from transformers import AutoModel

goldens = Path(sys.argv[1])
target = goldens.parent.parent / "text" / "src" / "goldens" / "embeddings.json"
torch.manual_seed(17)


def pooled(states, mask):
    """`Pooling` of sentence-transformers 5: the mean over tokens, the first, the last, and the largest values."""
    wide = mask[:, :, None].to(states.dtype)
    last = mask.shape[1] - 1 - mask.flip(1).argmax(1)
    return {
        "mean": (states * wide).sum(1) / wide.sum(1).clamp(min=1e-9),
        "cls": states[torch.arange(len(states)), mask.argmax(1)],
        "last": states[torch.arange(len(states)), last],
        "max": states.masked_fill(wide == 0, -torch.inf).max(1).values,
    }


def rounded(rows):
    return [[round(float(x), 7) for x in row] for row in rows]


def embeddings(name, first):
    model = AutoModel.from_pretrained(goldens / name, dtype=torch.float64, attn_implementation="eager").eval()
    pad = model.config.pad_token_id or 0
    lengths = (4, 11, 1, 7)
    rows = [torch.randint(first, 97, (n,)) for n in lengths]
    ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=pad)
    mask = (torch.arange(ids.shape[1]) < torch.tensor(lengths)[:, None]).long()
    with torch.no_grad():
        states = model(input_ids=ids, attention_mask=mask).last_hidden_state
    vectors = pooled(states, mask)
    return {
        "ids": [row.tolist() for row in rows],
        "vectors": {kind: rounded(v) for kind, v in vectors.items()},
        "normalized": {kind: rounded(torch.nn.functional.normalize(v, dim=-1)) for kind, v in vectors.items()},
    }


target.parent.mkdir(parents=True, exist_ok=True)
target.write_text(json.dumps({
    "source": f"transformers {transformers.__version__}, AutoModel in float64; pooling of sentence-transformers",
    "script": "tools/goldens/transformers/embeddings.py",
    "models": {name: embeddings(name, 5) for name in ("bert", "roberta-masked-lm", "gpt2", "llama")},
}, separators=(",", ":")) + "\n")
