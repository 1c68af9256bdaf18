#!/usr/bin/env bash
# Writes packages/tokenizers/src/goldens with Hugging Face's tokenizers, SentencePiece and Jinja. Needs a build.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
package="$here/../../../packages/tokenizers"
venv="${TMPDIR:-/tmp}/headwise-goldens-tokenizers"
corpus="$(mktemp)"

python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
node --input-type=module -e "
import { writeFileSync } from 'node:fs';
import { corpusLines } from '$package/dist/goldens/corpus.node.js';
writeFileSync('$corpus', JSON.stringify(corpusLines()));
"
"$venv/bin/python" "$here/make.py" "$corpus" "$package/node_modules/@lenml" "$package/src/goldens"
rm -f "$corpus"
