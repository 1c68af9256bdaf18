#!/usr/bin/env bash
# Writes packages/inspect/src/goldens/viridis.json with matplotlib.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
venv="${TMPDIR:-/tmp}/headwise-goldens-colours"

python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
"$venv/bin/python" "$here/make.py" "$here/../../../packages/inspect/src/goldens/viridis.json"
