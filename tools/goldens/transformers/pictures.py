"""Encoders of pictures: ViT, bare with its pooler and with a classifier; CLIP's towers of pictures and of texts."""

import torch
from golden import generator, record
from transformers import (
    CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPVisionConfig, CLIPVisionModel, CLIPVisionModelWithProjection,
    ViTConfig, ViTForImageClassification, ViTModel,
)

LABELS = "mean over rows of the cross entropy of logits with labels"
PRODUCTS = "Σ output × cotangent, over the outputs that have one"
small = dict(
    hidden_size=18, num_hidden_layers=2, num_attention_heads=3, intermediate_size=28, image_size=[6, 9], patch_size=3,
    num_channels=3, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
)


def pixels(name, **more):
    random = generator(name)
    return random, {"pixel_values": torch.randn((2, 3, 6, 9), generator=random), **more}


def run(model, inputs):
    from golden import flatten

    call = {k: v for k, v in inputs.items() if not k.startswith("cotangent.")}
    if "pixel_values" in call:
        call["pixel_values"] = call["pixel_values"].to(next(model.parameters()).dtype)
    outputs = model(**call, output_hidden_states=True, output_attentions=True, return_dict=True)
    return dict(flatten(outputs)), outputs.loss if "loss" in outputs else None


random, inputs = pixels("vit")
inputs |= {
    "cotangent.last_hidden_state": torch.randn((2, 7, 18), generator=random),
    "cotangent.pooler_output": torch.randn((2, 18), generator=random),
}


def products(outputs, inputs):
    names = [name.removeprefix("cotangent.") for name in inputs if name.startswith("cotangent.")]
    return sum((outputs[name] * inputs[f"cotangent.{name}"]).sum() for name in names)


record("vit", ViTModel, ViTConfig(**small), inputs, (PRODUCTS, products), random=random, run=run)
random, inputs = pixels("vit-image-classification", labels=torch.tensor([3, 1]))
record(
    "vit-image-classification", ViTForImageClassification,
    ViTConfig(**{**small, "qkv_bias": False, "hidden_act": "relu", "num_labels": 5}), inputs, LABELS, random=random, run=run,
)

tower = dict(hidden_size=18, num_hidden_layers=2, num_attention_heads=3, intermediate_size=28, projection_dim=7)
random = generator("clip-vision")
inputs = {
    "pixel_values": torch.randn((2, 3, 9, 9), generator=random),
    "cotangent.last_hidden_state": torch.randn((2, 10, 18), generator=random),
    "cotangent.pooler_output": torch.randn((2, 18), generator=random),
}
config = CLIPVisionConfig(**tower, image_size=9, patch_size=3)
record("clip-vision", CLIPVisionModel, config, inputs, (PRODUCTS, products), random=random, run=run)
random = generator("clip-vision-projection")
inputs = {
    "pixel_values": torch.randn((3, 2, 8, 8), generator=random),
    "cotangent.image_embeds": torch.randn((3, 7), generator=random),
}
config = CLIPVisionConfig(**tower, image_size=8, patch_size=4, num_channels=2, hidden_act="gelu")
record("clip-vision-projection", CLIPVisionModelWithProjection, config, inputs, (PRODUCTS, products), random=random, run=run)

# Id 40 ends a text and pads it besides; what comes after the first is not read.
random = generator("clip-text")
ids = torch.randint(3, 40, (3, 9), generator=random)
ids[0, 8] = ids[1, 5:] = ids[2, 0] = 40
mask = torch.ones_like(ids)
mask[1, 6:] = 0
inputs = {
    "input_ids": ids, "attention_mask": mask,
    "cotangent.last_hidden_state": torch.randn((3, 9, 18), generator=random) * mask[:, :, None],
    "cotangent.pooler_output": torch.randn((3, 18), generator=random),
}
words = dict(vocab_size=41, max_position_embeddings=11, bos_token_id=0, pad_token_id=1)
config = CLIPTextConfig(**tower, **words, eos_token_id=40)
record("clip-text", CLIPTextModel, config, inputs, (PRODUCTS, products), random=random, run=run)
# An end of 2 stands for the highest id of a text; padding lies on the left, and the last text has its highest id twice.
random = generator("clip-text-projection")
ids = torch.randint(3, 39, (3, 9), generator=random)
ids[0, 4] = ids[1, 8] = ids[2, 3] = ids[2, 6] = 40
mask = torch.ones_like(ids)
mask[1, :3], ids[1, :3] = 0, 1
inputs = {"input_ids": ids, "attention_mask": mask, "cotangent.text_embeds": torch.randn((3, 7), generator=random)}
config = CLIPTextConfig(**tower, **words, eos_token_id=2, hidden_act="gelu")
record("clip-text-projection", CLIPTextModelWithProjection, config, inputs, (PRODUCTS, products), random=random, run=run)
