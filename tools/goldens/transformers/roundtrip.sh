#!/usr/bin/env bash
# Saves every tiny checkpoint with the built packages, loads it with transformers, and records that nothing differs.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
venv="${TMPDIR:-/tmp}/headwise-goldens-transformers"
saved="$(mktemp -d)"
trap 'rm -rf "$saved"' EXIT

node "$here/save.mjs" "$saved"
rm -f "$here/roundtrip.json"
for which in "" -before-five; do
  python3 -m venv "$venv$which"
  "$venv$which/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements$which.txt"
  "$venv$which/bin/python" "$here/roundtrip.py" "$here/../../../packages/parity/goldens" "$saved" "$here/roundtrip.json"
done
