"""What TRL's trainers compute in twenty steps on the tiny GPT-2: their batches, and the loss of each."""

import json
import random
import sys
import tempfile
from pathlib import Path

import torch
import transformers
import trl
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2LMHeadModel, PreTrainedTokenizerFast

goldens, path = Path(sys.argv[1]), Path(sys.argv[2])
RATE, STEPS, PAD, EOS = 1e-3, 20, 0, 1
size = json.loads((goldens / "gpt2" / "config.json").read_text())["vocab_size"]
words = ["<pad>", "</s>", "<unk>"] + [f"w{i}" for i in range(3, size)]
core = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>"))
core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, pad_token="<pad>", eos_token="</s>", unk_token="<unk>")
draw = random.Random(7)


def model():
    loaded = GPT2LMHeadModel.from_pretrained(goldens / "gpt2", attn_implementation="eager")
    loaded.config.pad_token_id, loaded.config.eos_token_id = PAD, EOS
    loaded.generation_config.pad_token_id, loaded.generation_config.eos_token_id = PAD, EOS
    return loaded


def text(least, most):
    return " ".join(f"w{draw.randrange(3, size)}" for _ in range(draw.randint(least, most)))


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


def run(objective, options, trainer_class, config_class, keep, dataset, batch=4, **more):
    kind = recorded(trainer_class, keep)
    with tempfile.TemporaryDirectory() as folder:
        args = config_class(
            output_dir=folder, max_steps=STEPS, per_device_train_batch_size=batch, learning_rate=RATE,
            lr_scheduler_type="constant", weight_decay=0.01, max_grad_norm=1.0, optim="adamw_torch", use_cpu=True,
            report_to=[], save_strategy="no", logging_steps=100, seed=3, bf16=False, gradient_checkpointing=False,
            disable_tqdm=True, **more,
        )
        arguments = {"reward_funcs": options.pop("reward")} if "reward" in options else {}
        trainer = kind(model=model(), args=args, train_dataset=dataset, processing_class=tokenizer, **arguments)
        trainer.model.eval()
        trainer.train()
    steps = kind.seen[:STEPS]
    print(objective, [step["loss"] for step in steps[:3]], steps[-1]["loss"], len(steps))
    return {"objective": objective, "options": options, "adamEpsilon": more.get("adam_epsilon", 1e-8), "steps": steps}


pairs = Dataset.from_list([
    {"prompt": text(2, 3), "chosen": " " + text(1, 4), "rejected": " " + text(1, 4)} for _ in range(8)
])
judged = Dataset.from_list([
    {"prompt": text(2, 3), "completion": " " + text(1, 4), "label": i % 3 != 0} for i in range(8)
])
asked = Dataset.from_list([{"prompt": text(3, 3)} for _ in range(4)])


def even(completion_ids, **_):
    """A reward that the tokens alone decide: the share of even ids."""
    return [sum(id % 2 == 0 for id in ids) / len(ids) for ids in completion_ids]


of_pairs = ["input_ids", "completion_mask", "ref_chosen_logps", "ref_rejected_logps"]
of_judged = ["input_ids", "completion_mask", "KL_input_ids", "KL_completion_mask", "label", "ref_logps", "ref_KL_logps"]
of_groups = ["prompt_ids", "completion_ids", "completion_mask", "advantages", "old_per_token_logps", "ref_per_token_logps"]
cases = [
    run("DPO", {"beta": 0.3}, trl.DPOTrainer, trl.DPOConfig, of_pairs, pairs, beta=0.3, loss_type="sigmoid",
        precompute_ref_log_probs=True),
    run("IPO", {"beta": 0.3}, trl.DPOTrainer, trl.DPOConfig, of_pairs, pairs, beta=0.3, loss_type="ipo",
        precompute_ref_log_probs=True),
    run("KTO", {"beta": 0.3, "undesirable": 1.5}, trl.KTOTrainer, trl.KTOConfig, of_judged, judged, beta=0.3,
        undesirable_weight=1.5, precompute_ref_log_probs=True),
    run("GRPO", {"beta": 0.05, "reward": even, "epsilon": 0.2}, trl.GRPOTrainer, trl.GRPOConfig, of_groups, asked, batch=8, beta=0.05,
        loss_type="grpo", num_generations=4, num_iterations=2, max_completion_length=5, temperature=1.0,
        # What completions of one prompt share cancels in the gradient; a larger epsilon keeps Adam from dividing the
        # roundings that are left by their own size.
        adam_epsilon=1e-3),
]
note = {"source": "trl", "version": trl.__version__, "transformers": transformers.__version__,
        "torch": torch.__version__, "script": "tools/goldens/trl/preferences.py", "rate": RATE}
lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
path.write_text(json.dumps(note)[:-1] + ',\n"cases": [\n' + lines + "\n]}\n")
print(path.stat().st_size)
