#!/usr/bin/env bash
# Writes packages/data/src/goldens/quality.json, decontamination.json and urls.json with datatrove, and the rules of English words with spaCy. Needs a build.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
package="$here/../../../packages/data"
venv="${TMPDIR:-/tmp}/headwise-goldens-datatrove"
documents="$(mktemp)"

python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
node --input-type=module -e "
import { writeFileSync } from 'node:fs';
import { evaluationOf, mixedDocuments } from '$package/dist/goldens/mixed-documents.node.js';
const documents = mixedDocuments(2000);
const texts = documents.map(({ text }) => text);
writeFileSync('$documents', JSON.stringify(texts));
writeFileSync('$documents.evaluation', JSON.stringify({ texts, examples: evaluationOf(documents) }));
"
"$venv/bin/python" "$here/make.py" "$documents" "$package/src/goldens"
"$venv/bin/python" "$here/urls.py" "$package/src/goldens"
"$venv/bin/python" "$here/decontamination.py" "$documents.evaluation" "$package/src/goldens"
"$venv/bin/python" "$here/rules.py" "$package/src/text/english-rules.ts"
rm -f "$documents" "$documents.evaluation"
