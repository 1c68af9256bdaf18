"""CLIP's two towers in one checkpoint: vectors, logits of pictures and texts, and the contrastive loss."""

import torch
from golden import generator, record
from transformers import CLIPConfig, CLIPModel

shared = dict(num_hidden_layers=1, projection_dim=3)
config = CLIPConfig(
    # What the towers say of the projection does not count.
    text_config=dict(
        **shared, hidden_size=10, num_attention_heads=2, intermediate_size=14, vocab_size=23, max_position_embeddings=8, eos_token_id=22,
        bos_token_id=0, pad_token_id=1,
    ),
    vision_config=dict(
        **shared, hidden_size=15, num_attention_heads=3, intermediate_size=20, image_size=6, patch_size=2, num_channels=3,
    ),
    projection_dim=7,
)
random = generator("clip")
ids = torch.randint(2, 22, (4, 6), generator=random)
ids[0, 5] = ids[1, 3:] = ids[2, 4:] = ids[3, 2:] = 22
mask = (torch.cumsum(ids == 22, 1) < 2).long()
pixels = torch.randn((4, 3, 6, 6), generator=random)


def run(model, inputs):
    pixels = inputs["pixel_values"].to(model.logit_scale.dtype)
    outputs = model(**{**inputs, "pixel_values": pixels}, return_loss=True)
    names = ("image_embeds", "text_embeds", "logits_per_image", "logits_per_text")
    return {name: outputs[name] for name in names}, outputs.loss


inputs = {"input_ids": ids, "attention_mask": mask, "pixel_values": pixels}
record("clip", CLIPModel, config, inputs, "the contrastive loss of transformers", random=random, run=run)
