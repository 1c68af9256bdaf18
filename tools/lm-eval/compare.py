"""Compares what lm-evaluation-harness measures of models behind `headwise serve` with the same models in PyTorch."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
root = Path(__file__).resolve().parents[2]
# The tasks name their files from here.
os.chdir(root)

import torch  # noqa: E402
from lm_eval import simple_evaluate  # noqa: E402
from lm_eval.tasks import TaskManager  # noqa: E402

from models import CONTEXT, make_models  # noqa: E402

# Nats that a log-likelihood may differ by, and the relative difference of metrics.
TOLERANCE = 1e-3
# The tokens that a window of `loglikelihood_rolling` scores: the context without the token before them and the generated one.
WINDOW = CONTEXT - 2
# Each run: the models, the task, the harness's model, and how it sends requests.
ALL = ("tiny-gpt2", "tiny-gpt2-ends", "tiny-llama")
ENDING = ("tiny-gpt2", "tiny-llama")
RUNS = [
    (ALL, "headwise_choices", "local-completions", {}),
    (ALL, "headwise_choices", "local-completions", {"batch_size": 4, "num_concurrent": 4}),
    # The harness counts a context's tokens without the one that LLaMA's tokenizer puts before a text.
    (("tiny-gpt2",), "headwise_choices", "local-completions", {"tokenized_requests": False}),
    (ALL, "headwise_perplexity", "local-completions", {"batch_size": 2}),
    (ENDING, "headwise_continuation", "local-completions", {"batch_size": 4}),
    (ENDING, "headwise_continuation", "local-chat-completions", {"num_concurrent": 4}),
]


@contextmanager
def served(folder: Path, backend: str | None):
    """The address of `headwise serve` over a folder."""
    command = ["node", str(root / "apps/cli/dist/main.js"), "serve", "--model", str(folder), "--port", "0", "--json"]
    command += ["--backend", backend] if backend else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            line = server.stdout.readline()
            if not line:
                sys.exit("headwise serve did not start; was it built with pnpm build?")
            yield json.loads(line)["url"].rstrip("/")
        finally:
            server.terminate()


@cache
def tasks() -> TaskManager:
    return TaskManager(include_path=str(root / "tools/lm-eval/tasks"), include_defaults=False)


def evaluate(task: str, chat: bool, model: str, batch_size: int = 1, **arguments) -> dict:
    return simple_evaluate(
        model=model, model_args=arguments, tasks=[task], task_manager=tasks(), batch_size=batch_size,
        bootstrap_iters=0, apply_chat_template=chat,
    )


@cache
def in_pytorch(folder: Path, task: str, chat: bool) -> dict:
    arguments = {"dtype": "float32", "device": "cpu", "max_length": WINDOW, "add_bos_token": False}
    return evaluate(task, chat, "hf", pretrained=str(folder), **arguments)


def from_server(folder: Path, url: str, task: str, model: str, how: dict) -> dict:
    chat = model == "local-chat-completions"
    path = "chat/completions" if chat else "completions"
    tokenizer = {} if chat else {"tokenizer": str(folder), "tokenizer_backend": "huggingface"}
    fixed = {"base_url": f"{url}/v1/{path}", "max_length": CONTEXT, "max_retries": 1}
    return evaluate(task, chat, model, **fixed, **tokenizer, **how, pretrained=folder.name)


def answers(results: dict, task: str) -> list:
    """The answer to each request: a log-likelihood with whether it is greedy, a log-likelihood alone, or a text."""
    samples = sorted(results["samples"][task], key=lambda sample: sample["doc_id"])
    return [response[0] for sample in samples for response in sample["resps"]]


def difference(ours, theirs) -> float:
    """Nats between two answers; infinite where anything else of them differs."""
    if isinstance(theirs, str):
        return 0.0 if ours == theirs else float("inf")
    if isinstance(theirs, tuple):
        return abs(ours[0] - theirs[0]) if ours[1] == theirs[1] else float("inf")
    return abs(ours - theirs)


def metrics(results: dict, task: str) -> dict[str, float]:
    named = results["results"][task].items()
    return {name.split(",")[0]: value for name, value in named if isinstance(value, float) and "stderr" not in name}


def row(folder: Path, url: str, task: str, model: str, how: dict) -> bool:
    """Prints a line of the table, and says whether both agree."""
    ours = from_server(folder, url, task, model, how)
    theirs = in_pytorch(folder, task, model == "local-chat-completions")
    pairs = list(zip(answers(ours, task), answers(theirs, task), strict=True))
    worst = max(difference(a, b) for a, b in pairs)
    a, b = metrics(ours, task), metrics(theirs, task)
    same = a.keys() == b.keys() and all(abs(a[name] - b[name]) <= TOLERANCE * max(1, abs(b[name])) for name in b)
    # Answers that are all one would agree whatever is compared.
    agree = worst <= TOLERANCE and same and len({answer for _, answer in pairs}) > 1
    measured = ", ".join(f"{name} {a[name]:.4g} / {value:.4g}" for name, value in b.items())
    sent = ", ".join([model, *(f"{name} {value}" for name, value in how.items())])
    verdict = "equal" if agree else "DIFFERENT"
    print(f"| {folder.name} | {task} | {sent} | {len(pairs)} | {worst:.1e} | {measured} | {verdict} |", flush=True)
    return agree


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", help="of headwise serve: webgpu, wasm or cpu; default the best one here")
    backend = parser.parse_args().backend
    torch.set_num_threads(1)
    agree = []
    with tempfile.TemporaryDirectory(prefix="headwise-lm-eval-") as work:
        os.environ["HF_DATASETS_CACHE"] = f"{work}/datasets"
        print("| model | task | requests | answers | largest difference, nats | ours / PyTorch | |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        for name, folder in make_models(Path(work), root / "LICENSE").items():
            with served(folder, backend) as url:
                agree += [row(folder, url, *run) for models, *run in RUNS if name in models]
    if not all(agree):
        sys.exit("answers differ from PyTorch's")


if __name__ == "__main__":
    main()
