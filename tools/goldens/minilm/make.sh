#!/usr/bin/env bash
# Writes what sentence-transformers makes of sentences.json with all-MiniLM-L6-v2; leaves the checkpoint in a temporary folder.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
venv="${TMPDIR:-/tmp}/headwise-goldens-minilm"
model="${TMPDIR:-/tmp}/headwise-all-minilm-l6-v2"

python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
"$venv/bin/python" "$here/embeddings.py" "$model" "$here"
echo "compare with: pnpm build && node apps/cli/scripts/sentence-embeddings.mjs $model"
