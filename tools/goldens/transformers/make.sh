#!/usr/bin/env bash
# Writes the tiny checkpoints of Hugging Face transformers, with what they compute, into packages/parity/goldens.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
venv="${TMPDIR:-/tmp}/headwise-goldens-transformers"
goldens="$here/../../../packages/parity/goldens"

environment() {
  python3 -m venv "$1"
  "$1/bin/pip" install --quiet --disable-pip-version-check -r "$here/$2"
}
environment "$venv" requirements.txt
environment "$venv-before-five" requirements-before-five.txt
environment "$venv-searches" requirements-searches.txt
for script in encoders decoders encoder_decoders; do
  "$venv/bin/python" "$here/$script.py" "$goldens"
done
"$venv/bin/python" "$here/left_padding.py" "$goldens"
"$venv-before-five/bin/python" "$here/before_five.py" "$goldens"
"$venv/bin/python" "$here/beams.py" "$goldens"
"$venv/bin/python" "$here/assisted.py" "$goldens"
"$venv/bin/python" "$here/scores.py" "$goldens"
"$venv/bin/python" "$here/generation_keys.py" "$goldens"
"$venv/bin/python" "$here/embeddings.py" "$goldens"
"$venv/bin/python" "$here/sentences.py" "$goldens"
"$venv-searches/bin/python" "$here/searches.py" "$goldens"
"$venv-searches/bin/python" "$here/constrained.py" "$goldens"
"$venv-searches/bin/python" "$here/dola.py" "$goldens"
"$venv/bin/python" "$here/settings.py" "$goldens/../../models/src/goldens/settings.json"
(cd "$here" && "$venv/bin/python" ten_steps.py "$goldens" "$goldens/../../models/src/goldens/ten-steps.json")
"$venv/bin/python" "$here/falcon_alibi.py" "$goldens/../../positions/src/goldens/alibi-bfloat16.json"
for script in objectives optimizers; do
  (cd "$here" && "$venv/bin/python" "$script.py" "$goldens/../../training/src/goldens/steps")
done
"$venv/bin/python" "$here/accumulated_pairs.py" "$goldens" "$goldens/../../training/src/goldens/accumulated-pairs.safetensors"
"$venv/bin/python" "$here/chat_turns.py" "$goldens/../../tokenizers/src/goldens/chat-turns.json"
"$venv/bin/python" "$here/span_corruption.py" "$goldens/../../data/src/goldens/span-corruption.json"
