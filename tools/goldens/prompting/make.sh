#!/usr/bin/env bash
# Writes packages/prompting/src/goldens: ranks of BM25 by bm25s.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
goldens="$here/../../../packages/prompting/src/goldens"
venv="${TMPDIR:-/tmp}/headwise-goldens-prompting"

python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
mkdir -p "$goldens"
"$venv/bin/python" "$here/ranks.py" "$goldens"
