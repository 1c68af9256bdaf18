"""Scores of options by lm-evaluation-harness, of tiny models that it runs in PyTorch: `options.json` and a folder for each model."""

import json
import os
import shutil
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["HF_DATASETS_CACHE"] = tempfile.mkdtemp(prefix="headwise-datasets-")
root = Path(__file__).resolve().parents[3]
# The task names its file from here.
os.chdir(root)
sys.path.insert(0, str(root / "tools/lm-eval"))

import torch  # noqa: E402
from lm_eval import simple_evaluate  # noqa: E402
from lm_eval.api.instance import Instance  # noqa: E402
from lm_eval.models.huggingface import HFLM  # noqa: E402
from lm_eval.tasks import TaskManager  # noqa: E402
from models import save_tokenizer  # noqa: E402
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM  # noqa: E402

CONTEXT = 256
# Contexts and continuations whose bound is not that of tokens, or nearly.
PAIRS = [
    ["The license", " applies"],
    ["The license ", "applies"],
    ["The license  \n", "applies to all"],
    ["You may", " reproduce and distribute copies of the Work"],
    ["Grant of Copyright", " License."],
    ["naïve café, 東京", " and Ωμέγα"],
    ["a", " b"],
]


def make_models(folder: Path) -> dict[str, Path]:
    """Weights are large enough that options differ clearly."""
    torch.manual_seed(17)
    folders = {name: folder / name for name in ("gpt2", "llama")}
    ends = {"gpt2": ("<|endoftext|>", "<|endoftext|>"), "llama": ("<s>", "</s>")}
    for name, path in folders.items():
        tokenizer = save_tokenizer(path, root / "LICENSE", *ends[name])
        ids = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
        sizes = {"vocab_size": len(tokenizer), "initializer_range": 0.4, **ids}
        model = (
            GPT2LMHeadModel(GPT2Config(n_positions=CONTEXT, n_embd=16, n_layer=2, n_head=2, **sizes))
            if name == "gpt2"
            else LlamaForCausalLM(
                LlamaConfig(
                    max_position_embeddings=CONTEXT, hidden_size=16, intermediate_size=32, num_hidden_layers=2,
                    num_attention_heads=4, num_key_value_heads=2, **sizes,
                )
            )
        )
        model.save_pretrained(path)
    return folders


def language_model(folder: Path, name: str) -> HFLM:
    # The tokenizer of LLaMA puts a token before every text, as it does without the harness.
    return HFLM(pretrained=str(folder), dtype="float32", device="cpu", batch_size=1, max_length=CONTEXT, add_bos_token=name == "llama")


def scored(model: HFLM, shots: int) -> dict:
    tasks = TaskManager(include_path=str(Path(__file__).parent / "tasks"), include_defaults=False)
    results = simple_evaluate(model=model, tasks=["headwise_options"], task_manager=tasks, num_fewshot=shots, bootstrap_iters=0)
    samples = sorted(results["samples"]["headwise_options"], key=lambda sample: sample["doc_id"])
    metrics = results["results"]["headwise_options"]
    named = ("acc", "acc_norm", "acc_bytes")
    return {
        "shots": shots,
        "prompts": [sample["arguments"][0][0] for sample in samples[:4]],
        "scores": [[[round(log, 6), greedy] for (log, greedy), in sample["resps"]] for sample in samples],
        "right": {name: [sample[name] for sample in samples] for name in named},
        "metrics": {name: metrics[f"{name},none"] for name in named},
    }


torch.set_num_threads(1)
goldens = Path(sys.argv[1])
for name in ("gpt2", "llama"):
    shutil.rmtree(goldens / name, ignore_errors=True)
cases = []
for name, folder in make_models(goldens).items():
    model = language_model(folder, name)
    requests = [Instance("loglikelihood", {}, tuple(pair), n) for n, pair in enumerate(PAIRS)]
    pairs = [[*pair, log, greedy] for pair, (log, greedy) in zip(PAIRS, model.loglikelihood(requests), strict=True)]
    cases.append({"model": name, "pairs": pairs, "runs": [scored(model, shots) for shots in (0, 2)]})
golden = {
    "source": "lm_eval",
    "version": version("lm_eval"),
    "transformers": version("transformers"),
    "torch": version("torch"),
    "script": "tools/goldens/prompting/options.py",
    "cases": cases,
}
(goldens / "options.json").write_text(json.dumps(golden, ensure_ascii=False) + "\n")
