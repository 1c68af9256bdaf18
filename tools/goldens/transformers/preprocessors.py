"""Pictures as transformers' image processors prepare them with Pillow: preprocessors.py FILE"""

import json
import sys
from pathlib import Path

import numpy as np
import PIL
import torch
import transformers
from safetensors.torch import save_file
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

random = np.random.default_rng(7)


def picture(height, width):
    """Smooth colours with noise and hard edges: filters overshoot, and bytes are clipped."""
    y, x = np.mgrid[0:height, 0:width]
    waves = np.stack([np.sin(x / (3 + c)) * np.cos(y / (5 - c)) for c in range(3)], -1) * 120 + 128
    noise = random.normal(0, 30, waves.shape)
    edges = ((x + 2 * y) % 11 < 4)[..., None] * 140
    return np.clip(waves + noise + edges - 60, 0, 255).astype(np.uint8)


CASES = {
    "vit": (ViTImageProcessorPil, {"size": {"height": 16, "width": 12}}, (37, 29)),
    "vit-larger": (ViTImageProcessorPil, {"size": {"height": 23, "width": 31}, "resample": 3}, (11, 17)),
    "vit-as-it-is": (ViTImageProcessorPil, {"do_resize": False, "image_mean": [0.2, 0.3, 0.4], "image_std": [0.5, 0.25, 2.0]}, (9, 7)),
    "vit-bytes": (ViTImageProcessorPil, {"size": {"height": 8, "width": 8}, "do_rescale": False, "do_normalize": False}, (20, 30)),
    "clip": (CLIPImageProcessorPil, {"size": {"shortest_edge": 14}, "crop_size": {"height": 12, "width": 12}}, (41, 30)),
    "clip-wide": (CLIPImageProcessorPil, {"size": {"shortest_edge": 10}, "crop_size": {"height": 13, "width": 12}}, (19, 52)),
    "clip-uncropped": (CLIPImageProcessorPil, {"size": {"shortest_edge": 9}, "do_center_crop": False}, (33, 20)),
    # Pillow 13 takes the height first where it shrinks and the width does not, and where it shrinks much more.
    "vit-much-lower": (ViTImageProcessorPil, {"size": {"height": 8, "width": 6}, "resample": 3}, (38, 19)),
    "vit-height-first": (ViTImageProcessorPil, {"size": {"height": 10, "width": 21}, "resample": 3}, (27, 13)),
}
CASES |= {
    f"vit-filter-{filter}": (ViTImageProcessorPil, {"size": {"height": 21, "width": 10}, "resample": filter}, (13, 27)) for filter in range(6)
}
tensors, files = {}, {}
for name, (kind, settings, shape) in CASES.items():
    given = picture(*shape)
    processor = kind(**settings)
    made = processor(given, return_tensors="np", input_data_format="channels_last")["pixel_values"]
    tensors[f"{name}.given"] = torch.from_numpy(given)
    tensors[f"{name}.expected"] = torch.from_numpy(np.ascontiguousarray(np.moveaxis(made, 1, -1)).astype(np.float32))
    files[name] = json.dumps(processor.to_dict())
note = {"source": "transformers", "version": transformers.__version__, "pillow": PIL.__version__, "script": Path(__file__).name}
save_file(tensors, sys.argv[1], metadata={**note, **files})
