#!/usr/bin/env bash
# Writes the tiny checkpoints of Hugging Face transformers, with what they compute, into packages/models/goldens.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
venv="${TMPDIR:-/tmp}/headwise-goldens-transformers"

python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
for script in decoders; do
  "$venv/bin/python" "$here/$script.py" "$here/../../../packages/models/goldens"
done
