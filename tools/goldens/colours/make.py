"""The 256 colours of matplotlib's viridis."""

import json
import sys
from pathlib import Path

import matplotlib

colours = [[round(255 * part) for part in colour] for colour in matplotlib.colormaps["viridis"].colors]
golden = {
    "source": "matplotlib",
    "version": matplotlib.__version__,
    "script": "tools/goldens/colours/make.py",
    "cases": [{"colours": colours}],
}
path = Path(sys.argv[1])
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(f"{path.name}: 1 case, {path.stat().st_size} bytes")
