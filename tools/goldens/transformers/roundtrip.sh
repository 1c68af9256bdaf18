#!/usr/bin/env bash
# Saves every tiny checkpoint with the built packages, loads it with transformers, and records that nothing differs.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
venv="${TMPDIR:-/tmp}/headwise-goldens-transformers"
saved="$(mktemp -d)"
trap 'rm -rf "$saved"' EXIT

python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
node "$here/save.mjs" "$saved"
"$venv/bin/python" "$here/roundtrip.py" "$here/../../../packages/parity/goldens" "$saved" "$here/roundtrip.json"
