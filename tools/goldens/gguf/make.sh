#!/usr/bin/env bash
# Writes packages/gguf/src/goldens/reference.json with PyPI's gguf, and ggml's own functions from an npm package of node-llama-cpp.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
work="${TMPDIR:-/tmp}/headwise-goldens-gguf"
version=3.22.1

python3 -m venv "$work"
"$work/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
npm install --silent --no-save --ignore-scripts --prefix "$work" "@node-llama-cpp/linux-x64@$version"
"$work/bin/python" "$here/make.py" \
  "$work/node_modules/@node-llama-cpp/linux-x64/bins/linux-x64/libggml-base.so" \
  "libggml-base of @node-llama-cpp/linux-x64 $version" \
  > "$here/../../../packages/gguf/src/goldens/reference.json"
