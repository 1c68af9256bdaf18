"""Encoders of pictures: ViT, bare with its pooler and with a classifier."""

import torch
from golden import generator, record
from transformers import ViTConfig, ViTForImageClassification, ViTModel

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
    call["pixel_values"] = call["pixel_values"].to(next(model.parameters()).dtype)
    outputs = model(**call, output_hidden_states=True, output_attentions=True, return_dict=True)
    return dict(flatten(outputs)), outputs.loss if "loss" in outputs else None


random, inputs = pixels("vit")
inputs |= {
    "cotangent.last_hidden_state": torch.randn((2, 7, 18), generator=random),
    "cotangent.pooler_output": torch.randn((2, 18), generator=random),
}


def products(outputs, inputs):
    return sum((outputs[name] * inputs[f"cotangent.{name}"]).sum() for name in ("last_hidden_state", "pooler_output"))


record("vit", ViTModel, ViTConfig(**small), inputs, (PRODUCTS, products), random=random, run=run)
random, inputs = pixels("vit-image-classification", labels=torch.tensor([3, 1]))
record(
    "vit-image-classification", ViTForImageClassification,
    ViTConfig(**{**small, "qkv_bias": False, "hidden_act": "relu", "num_labels": 5}), inputs, LABELS, random=random, run=run,
)
