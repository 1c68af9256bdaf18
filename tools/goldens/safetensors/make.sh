#!/usr/bin/env bash
# Writes packages/safetensors/src/goldens/reference.json with the reference implementation of safetensors.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
venv="${TMPDIR:-/tmp}/headwise-goldens-safetensors"

python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
"$venv/bin/python" "$here/make.py" "$here/../../../packages/safetensors/src/goldens/reference.json"
