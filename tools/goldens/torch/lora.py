"""LoRA and DoRA adapters of the tiny GPT-2 by PEFT: their folders, logits, and the gradients of their parameters."""

import base64
import json
import tempfile
from pathlib import Path

import torch
from golden import packages, random, seeded, values, write
from peft import LoraConfig, get_peft_model
from transformers import GPT2LMHeadModel

base = json.loads((packages / "models" / "src" / "goldens" / "gpt2.json").read_text())["cases"][0]


def adapter(**options):
    torch.set_default_dtype(torch.float32)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in base["folder"].items():
            (Path(folder) / name).write_bytes(base64.b64decode(text))
        model = GPT2LMHeadModel.from_pretrained(folder)
    config = LoraConfig(
        r=3, lora_alpha=5, target_modules=["c_attn", "mlp.c_proj"], fan_in_fan_out=True, **options)
    model = get_peft_model(model, config).eval()
    model.peft_config["default"].base_model_name_or_path = None
    g = seeded(2)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "magnitude" in name:
                parameter.mul_(1 + random(g, *parameter.shape, scale=0.2))
            elif "lora_" in name:
                parameter.copy_(random(g, *parameter.shape, scale=0.2))
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        saved = {
            name: base64.b64encode((Path(folder) / name).read_bytes()).decode()
            for name in ("adapter_config.json", "adapter_model.safetensors")
        }
    torch.set_default_dtype(torch.float64)
    model = model.double()
    ids = torch.tensor(base["ids"]).reshape(base["shape"])
    logits = model(ids).logits
    loss = torch.nn.functional.cross_entropy(logits.reshape(-1, 31), torch.tensor(base["labels"]))
    loss.backward()
    return {
        "folder": saved,
        "logits": values(logits),
        "loss": loss.item(),
        "gradients": {
            name.replace(".default", ""): {"shape": list(p.shape), "data": values(p.grad)}
            for name, p in model.named_parameters() if "lora_" in name
        },
    }


write("models", "lora", "lora", [adapter(), adapter(use_dora=True)], "peft")
