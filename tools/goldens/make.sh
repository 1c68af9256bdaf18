#!/usr/bin/env bash
# Makes every golden file anew. Each folder here has its own script, pinned versions and virtual environment.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
for script in "$here"/*/make.sh; do
  echo "${script#"$here/"}"
  bash "$script"
done
