#!/usr/bin/env bash
# Writes the golden of TensorBoard's event files into packages/runs/src/goldens.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
venv="${TMPDIR:-/tmp}/headwise-goldens-tensorboard"

python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
"$venv/bin/python" "$here/events.py" "$here/../../../packages"
