#!/usr/bin/env bash
# Writes the goldens of PyTorch and Hugging Face transformers into packages/*/src/goldens.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
venv="${TMPDIR:-/tmp}/headwise-goldens-torch"

python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
for script in kernels attention training optimizers schedules loss_scale generation gpt2 generate processors lora adapters rotary mechanisms activations; do
  "$venv/bin/python" "$here/$script.py" "$here/../../../packages"
done
