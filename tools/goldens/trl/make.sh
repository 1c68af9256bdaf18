#!/usr/bin/env bash
# Writes what TRL's trainers compute on the tiny GPT-2 into packages/training/src/goldens, and its packed rows into packages/data/src/goldens.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
venv="${TMPDIR:-/tmp}/headwise-goldens-trl"

python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
"$venv/bin/python" "$here/trainers.py" "$here/../../../packages/training/src/goldens/steps"
"$venv/bin/python" "$here/packing.py" > "$here/../../../packages/data/src/goldens/packing.json"
