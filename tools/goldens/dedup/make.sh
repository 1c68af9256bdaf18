#!/usr/bin/env bash
# Writes MinHash signatures of datatrove into packages/data/src/goldens.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
venv="${TMPDIR:-/tmp}/headwise-goldens-dedup"

python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
"$venv/bin/python" "$here/minhash.py" "$here/../../../packages/data/src/goldens/minhash.json"
