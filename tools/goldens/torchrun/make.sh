#!/usr/bin/env bash
# Writes a run that PyTorch went on with, and the losses that it made after that, into packages/runs/src/goldens/torchrun. Needs a build.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
venv="${TMPDIR:-/tmp}/headwise-goldens-torchrun"

python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
node "$here/make.mjs" "$venv/bin/python" "$here/../../../packages/runs/src/goldens/torchrun"
