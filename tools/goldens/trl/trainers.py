"""What TRL's trainers compute in twenty steps on the tiny GPT-2: their batches, the loss of each, and the weights after the last."""

import json
import random
import sys
import tempfile
from pathlib import Path

import peft
import torch
import transformers
import trl
from datasets import Dataset
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2LMHeadModel, PreTrainedTokenizerFast

folder = Path(sys.argv[1])
RATE, STEPS, PAD, EOS = 1e-3, 20, 0, 1
size = json.loads((folder / "gpt2" / "config.json").read_text())["vocab_size"]
words = ["<pad>", "</s>", "<unk>", "<user>", "<assistant>"] + [f"w{i}" for i in range(5, size)]
core = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>"))
core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, pad_token="<pad>", eos_token="</s>", unk_token="<unk>")
tokenizer.chat_template = """{%- for message in messages -%}
{{ '<' + message.role + '> ' }}
{%- if message.role == 'assistant' -%}
{% generation %}{{ message.content + ' </s> ' }}{% endgeneration %}
{%- else -%}
{{ message.content + ' ' }}
{%- endif -%}
{%- endfor -%}"""
draw = random.Random(7)


def model():
    loaded = GPT2LMHeadModel.from_pretrained(folder / "gpt2", attn_implementation="eager")
    loaded.config.pad_token_id, loaded.config.eos_token_id = PAD, EOS
    loaded.generation_config.pad_token_id, loaded.generation_config.eos_token_id = PAD, EOS
    return loaded


def adapted(name, **options):
    """The model with an adapter of PEFT's, whose B is not 0, saved as `name`."""
    config = LoraConfig(r=3, lora_alpha=5, target_modules=["c_attn", "mlp.c_proj"], fan_in_fan_out=True, **options)
    made = get_peft_model(model(), config)
    made.peft_config["default"].base_model_name_or_path = None
    torch.manual_seed(3)
    with torch.no_grad():
        for key, parameter in made.named_parameters():
            if "lora_" in key:
                parameter.copy_(torch.randn(parameter.shape) * 0.2)
    made.save_pretrained(folder / name)
    (folder / name / "README.md").unlink(missing_ok=True)
    return made


def weights(trained):
    """The tensors that the model, or its adapter, saves."""
    with tempfile.TemporaryDirectory() as saved:
        trained.save_pretrained(saved)
        name = "adapter_model" if isinstance(trained, PeftModel) else "model"
        return load_file(Path(saved) / f"{name}.safetensors")


def text(least, most):
    return " ".join(f"w{draw.randrange(5, size)}" for _ in range(draw.randint(least, most)))


def plain(value):
    if not isinstance(value, torch.Tensor):
        return value if isinstance(value, (int, float, list)) else None
    flat = value.flatten().tolist()
    if value.is_floating_point():
        flat = [float(f"{v:.9g}") for v in flat]
    return {"shape": list(value.shape), "data": [int(v) for v in flat] if value.dtype == torch.bool else flat}


def recorded(trainer_class, keep):
    """The trainer with its batches and losses written down; their names are those of TRL."""
    class Recorded(trainer_class):
        def compute_loss(self, model, inputs, *args, **kwargs):
            loss = super().compute_loss(model, inputs, *args, **kwargs)
            self.seen.append({"batch": {k: plain(inputs[k]) for k in keep if inputs.get(k) is not None},
                              "loss": float(f"{loss.item():.9g}")})
            return loss
    Recorded.seen = []
    return Recorded


def run(objective, options, trainer_class, config_class, keep, dataset, batch=4, trained=None, **more):
    kind = recorded(trainer_class, keep)
    with tempfile.TemporaryDirectory() as outputs:
        args = config_class(
            output_dir=outputs, max_steps=STEPS, per_device_train_batch_size=batch, learning_rate=RATE,
            lr_scheduler_type="constant", weight_decay=0.01, max_grad_norm=1.0, optim="adamw_torch", use_cpu=True,
            report_to=[], save_strategy="no", logging_steps=100, seed=3, bf16=False, gradient_checkpointing=False,
            disable_tqdm=True, **more,
        )
        arguments = {"reward_funcs": options.pop("reward")} if "reward" in options else {}
        trainer = kind(model=trained or model(), args=args, train_dataset=dataset, processing_class=tokenizer, **arguments)
        trainer.model.eval()
        trainer.train()
    steps = kind.seen[:STEPS]
    print(objective, [step["loss"] for step in steps[:3]], steps[-1]["loss"], len(steps))
    file = f"after/{objective.lower()}.safetensors"
    save_file(weights(trainer.model), folder / file)
    return {
        "objective": objective, "options": options, "model": "gpt2", "after": file,
        "batches": [step["batch"] for step in steps], "losses": [step["loss"] for step in steps],
    }


pairs = Dataset.from_list([
    {"prompt": text(2, 3), "chosen": " " + text(1, 4), "rejected": " " + text(1, 4)} for _ in range(8)
])
judged = Dataset.from_list([
    {"prompt": text(2, 3), "completion": " " + text(1, 4), "label": i % 3 != 0} for i in range(8)
])
asked = Dataset.from_list([{"prompt": text(3, 3)} for _ in range(4)])
chats = Dataset.from_list([
    {"messages": [{"role": role, "content": text(1, 3)} for role in ("user", "assistant") * (1 + i % 2)]} for i in range(8)
])


def even(completion_ids, **_):
    """A reward that the tokens alone decide: the share of even ids."""
    return [sum(id % 2 == 0 for id in ids) / len(ids) for ids in completion_ids]


of_chats = ["input_ids", "labels"]
of_pairs = ["input_ids", "completion_mask", "ref_chosen_logps", "ref_rejected_logps"]
of_judged = ["input_ids", "completion_mask", "KL_input_ids", "KL_completion_mask", "label", "ref_logps", "ref_KL_logps"]
of_groups = ["prompt_ids", "completion_ids", "completion_mask", "advantages", "old_per_token_logps", "ref_per_token_logps"]


def tuned(name, trained=None):
    """Fine-tuning on chats, with the loss on what the assistant says."""
    return run(name, {}, trl.SFTTrainer, trl.SFTConfig, of_chats, chats, trained=trained, assistant_only_loss=True)


cases = [
    tuned("SFT"),
    tuned("LoRA", adapted("lora")),
    tuned("DoRA", adapted("dora", use_dora=True)),
    run("DPO", {"beta": 0.3}, trl.DPOTrainer, trl.DPOConfig, of_pairs, pairs, beta=0.3, loss_type="sigmoid",
        precompute_ref_log_probs=True),
    run("IPO", {"beta": 0.3}, trl.DPOTrainer, trl.DPOConfig, of_pairs, pairs, beta=0.3, loss_type="ipo",
        precompute_ref_log_probs=True),
    run("KTO", {"beta": 0.3, "undesirable": 1.5}, trl.KTOTrainer, trl.KTOConfig, of_judged, judged, beta=0.3,
        undesirable_weight=1.5, precompute_ref_log_probs=True),
    run("GRPO", {"beta": 0.05, "reward": even, "epsilon": 0.2}, trl.GRPOTrainer, trl.GRPOConfig, of_groups, asked, batch=8, beta=0.05,
        loss_type="grpo", num_generations=4, num_iterations=2, max_completion_length=5, temperature=1.0),
]
note = {"source": "trl", "version": trl.__version__, "peft": peft.__version__, "transformers": transformers.__version__,
        "torch": torch.__version__, "script": "tools/goldens/trl/trainers.py", "rate": RATE}
lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
path = folder / "trainers.json"
path.write_text(json.dumps(note)[:-1] + ',\n"cases": [\n' + lines + "\n]}\n")
print(path.stat().st_size)
