"""The keys of transformers' GenerationConfig: those of a `generation_config.json`."""

import json
import sys
from pathlib import Path

import transformers
from transformers import GenerationConfig

target = Path(sys.argv[1]).parent.parent / "generation" / "src" / "goldens" / "generation-keys.json"
target.write_text(json.dumps({
    "source": "transformers", "version": transformers.__version__,
    "script": "tools/goldens/transformers/generation_keys.py",
    "keys": sorted(GenerationConfig().__dict__),
}, indent=2) + "\n")
