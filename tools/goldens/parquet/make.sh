#!/usr/bin/env bash
# Writes Parquet files as pyarrow, and with it Hugging Face's datasets, writes them into packages/data/src/goldens.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
venv="${TMPDIR:-/tmp}/headwise-goldens-parquet"

python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
"$venv/bin/python" "$here/examples.py" "$here/../../../packages/data/src/goldens"
