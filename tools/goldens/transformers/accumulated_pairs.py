"""The loss of BertForPreTraining and its gradients over a batch whose rows have unequal numbers of masked tokens and labels."""

import sys
from pathlib import Path

import torch
import transformers
from golden import IGNORED, double_precision, folder, generator, reload, saved_names, token_ids
from safetensors.torch import load_file, save_file
from transformers import BertForPreTraining

LENGTHS = (11, 10, 9, 8, 11, 7, 11, 5)
MASKED = (7, 1, 4, 0, 2, 6, 1, 3)
LABELS = (0, 1, 1, 0, 1, IGNORED, 0, 1)

random = generator("accumulated pairs")
path = folder / "bert-pretraining"
saved = load_file(path / "model.safetensors")
with double_precision():
    model = reload(BertForPreTraining, path, saved)
    ids, mask = token_ids(random, model.config.vocab_size, LENGTHS, max(LENGTHS), "right", pad=0)
    labels = torch.full_like(ids, IGNORED)
    for row, (length, count) in enumerate(zip(LENGTHS, MASKED)):
        chosen = torch.randperm(length, generator=random)[:count]
        labels[row, chosen] = torch.randint(2, model.config.vocab_size, (count,), generator=random)
    inputs = {
        "input_ids": ids,
        "attention_mask": mask,
        "token_type_ids": (torch.arange(ids.shape[1])[None] >= torch.tensor(LENGTHS)[:, None] // 2).long() * mask,
        "labels": labels,
        "next_sentence_label": torch.tensor(LABELS),
    }
    loss = model(**inputs).loss
    loss.backward()
names = saved_names(model, saved)
tensors = {f"inputs.{key}": value.int() for key, value in inputs.items()} | {"loss": loss.detach().float()}
tensors |= {f"gradients.{key}": p.grad.float().contiguous() for key, p in names.items()}
assert all(t.isfinite().all() for t in tensors.values())
file = Path(sys.argv[2])
save_file(tensors, file, metadata={
    "source": "transformers", "version": transformers.__version__, "torch": torch.__version__,
    "script": "tools/goldens/transformers/accumulated_pairs.py", "class": "BertForPreTraining",
})
print(file.name, file.stat().st_size, loss.item())
