"""Goes on with a training run of Headwise in PyTorch, on as many processes as torchrun starts.

    torchrun --nproc-per-node 2 train.py --out ../back [--until STEP] [--rows N] [--fsdp] [--shards DIR …]

Each process holds the whole model and computes a share of each batch (DDP); with --fsdp, weights, gradients and AdamW's moments lie
in shards over the processes, and those of one block at a time are gathered.

It lies in the folder that `headwise export --to torch` wrote, and writes another one in the same layout, which `headwise import` reads:
the model, AdamW's moments, and the history. Needs torch, transformers and safetensors.
"""

import argparse
import json
import math
import os
import shutil
import time
from array import array
from pathlib import Path

import torch
import torch.distributed as dist
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn.parallel import DistributedDataParallel
from transformers import AutoModelForCausalLM

HERE = Path(__file__).resolve().parent
MASK = 0xFFFFFFFF


def sfc32(seed, stream, purpose=1):
    """Random 32-bit numbers, as @headwise/data draws them."""
    a, b, c, counter = seed & MASK, seed >> 32 & MASK, stream & MASK, purpose

    def draw():
        nonlocal a, b, c, counter
        out = (a + b + counter) & MASK
        counter = (counter + 1) & MASK
        a, b, c = b ^ (b >> 9), (c + (c << 3)) & MASK, (((c << 21) | (c >> 11)) + out) & MASK
        return out

    for _ in range(15):
        draw()
    return draw


def order_of_windows(count, seed, epoch):
    """The order of an epoch: Fisher-Yates with sfc32, as @headwise/data shuffles."""
    draw = sfc32(seed, epoch)

    def below(limit):
        whole = 2**32 - 2**32 % limit
        while (drawn := draw()) >= whole:
            pass
        return drawn % limit

    order = list(range(count))
    for i in range(count - 1, 0, -1):
        j = below(i + 1)
        order[i], order[j] = order[j], order[i]
    return order


class TextBatches:
    """The windows of every step over a text, from the step's number alone."""

    def __init__(self, run):
        self.tokens = torch.from_file(
            str(HERE / "trainer/tokens.bin"), size=run["tokens"], dtype=torch.int32
        )
        self.length, self.rows, self.seed = run["context"], run["batchSize"], run["seed"]
        self.count = (run["tokens"] - 1) // self.length
        self.epoch, self.order = -1, []

    def window(self, place):
        epoch = place // self.count
        if epoch != self.epoch:
            self.epoch, self.order = epoch, order_of_windows(self.count, self.seed, epoch)
        start = self.order[place % self.count] * self.length
        return self.tokens[start : start + self.length + 1].long()

    def at(self, step, rank, world):
        """Inputs and targets of this process: an equal share of the batch's rows."""
        share = self.rows // world
        first = step * self.rows + rank * share
        windows = torch.stack([self.window(first + row) for row in range(share)])
        return windows[:, :-1], windows[:, 1:]


def permuted(count, seed, epoch, purpose):
    """A random order of the numbers below count, one by one: a Feistel network with cycle walking."""
    bits = max(1, math.ceil(math.log2(count) / 2))
    half = 2**bits
    draw = sfc32(seed, epoch, purpose)
    keys = [draw() for _ in range(8)]

    def mix(x):
        x = (x ^ (x >> 16)) * 0x7FEB352D & MASK
        x = (x ^ (x >> 15)) * 0x846CA68B & MASK
        return x ^ (x >> 16)

    def walk(place):
        left, right = divmod(place, half)
        for key in keys:
            left, right = right, (left ^ mix((right + key) & MASK)) & (half - 1)
        return left * half + right

    def order(place):
        number = walk(place)
        while number >= count:
            number = walk(number)
        return number

    return order


class Source:
    """Shards of one folder, as one sequence of tokens; windows of a part of it in an order of each epoch."""

    def __init__(self, source, folder, number, run):
        self.folder, self.files = folder, source["files"]
        self.type = {"u16": "H", "u32": "I"}[source["dtype"]]
        self.start, self.length = source["start"], run["context"]
        self.count = (source["end"] - self.start - 1) // self.length
        self.seed, self.number = run["seed"], number
        self.epoch, self.order = -1, None

    def window(self, drawn):
        epoch, place = divmod(drawn, self.count)
        if epoch != self.epoch:
            self.epoch = epoch
            self.order = permuted(self.count, self.seed, epoch, 1000 + self.number)
        return self.read(self.start + self.order(place) * self.length, self.length + 1)

    def read(self, start, count):
        tokens, first = array(self.type), 0
        for file in self.files:
            skipped = max(0, start + len(tokens) - first)
            wanted = min(count - len(tokens), file["tokens"] - skipped)
            if wanted > 0:
                with open(self.folder / file["path"], "rb") as shard:
                    shard.seek(skipped * tokens.itemsize)
                    tokens.fromfile(shard, wanted)
            first += file["tokens"]
        return torch.tensor(tokens.tolist())


class ShardBatches:
    """The windows of every step over a mixture of shards, from the step's number alone."""

    PERIOD = 2**16

    def __init__(self, run, folders):
        given = run["shards"]
        if folders and len(folders) != len(given):
            raise SystemExit(f"--shards names {len(folders)} folders; the run has {len(given)}")
        places = [Path(folder) for folder in folders or [source["folder"] for source in given]]
        self.sources = [Source(source, *pair, run) for source, *pair in zip(given, places, range(len(given)))]
        self.length, self.rows = run["context"], run["batchSize"]
        self.curriculum = run.get("curriculum") or []
        self.quotas = self.quotas_of([source["weight"] for source in given])
        self.table = self.table_of(self.quotas)

    def quotas_of(self, weights):
        """How many draws of a period each source has: by largest remainder."""
        total = 0.0
        for weight in weights:
            total += weight
        exact = [self.PERIOD * weight / total for weight in weights]
        quotas = [math.floor(each) for each in exact]
        by_remainder = sorted(range(len(exact)), key=lambda i: -(exact[i] % 1))
        for i in by_remainder[: self.PERIOD - sum(quotas)]:
            quotas[i] += 1
        return quotas

    def table_of(self, quotas):
        """The source of each draw of a period, the one furthest behind its weight, and how many of its own came before."""
        drawn, table = [0] * len(quotas), []
        for slot in range(self.PERIOD):
            behind = [quota * (slot + 1) - self.PERIOD * drawn[i] for i, quota in enumerate(quotas)]
            source = behind.index(max(behind))
            table.append((source, drawn[source]))
            drawn[source] += 1
        return table

    def window(self, position):
        source, rank = self.table[position % self.PERIOD]
        return self.sources[source].window(position // self.PERIOD * self.quotas[source] + rank)

    def row_length(self, step):
        end = 0
        for stage in self.curriculum:
            end += stage["steps"]
            if step < end:
                return stage["length"]
        return self.length

    def at(self, step, rank, world):
        """Inputs and targets of this process: an equal share of the batch's windows, in rows of the stage's length."""
        share, length = self.rows // world, self.row_length(step)
        first = step * self.rows + rank * share
        windows = torch.stack([self.window(first + row) for row in range(share)])
        return windows[:, :-1].reshape(-1, length), windows[:, 1:].reshape(-1, length)


def learning_rate(run, step):
    """Linear warm-up, then half a cosine, or a plateau and a straight line, as the run's file says."""
    peak, floor, warmup, steps = (
        run[key] for key in ("learningRate", "minLearningRate", "warmupSteps", "steps")
    )
    if step < warmup:
        return peak * (step + 1) / warmup
    decay = run.get("decaySteps")
    steps = max(steps, warmup)
    begin = warmup if decay is None else steps - decay
    part = max(0.0, min(1.0, (step - begin) / max(1, steps - begin)))
    factor = 0.5 * (1 + math.cos(math.pi * part)) if decay is None else 1 - part
    return floor + (peak - floor) * factor


def shard(model, device):
    """Cuts the parameters into shards, which are gathered block by block where they are used."""
    mesh = dist.device_mesh.init_device_mesh(device.type, (dist.get_world_size(),))
    blocks = next(part for part in model.modules() if isinstance(part, torch.nn.ModuleList))
    for part in [*blocks, model]:
        fully_shard(part, mesh=mesh)
    return model


def like(values, parameter):
    """Values on the device of a parameter, in shards where it is."""
    if isinstance(parameter, DTensor):
        return distribute_tensor(values, parameter.device_mesh, parameter.placements)
    return values.to(parameter.device)


def whole(values):
    """Values on the CPU, gathered where they are in shards: every process must ask."""
    values = values.detach()
    return (values.full_tensor() if isinstance(values, DTensor) else values).cpu().contiguous()


def make_optimizer(run, named):
    """AdamW, whose decay is that of matrices, with the moments of the steps before."""
    groups = [
        {"params": [p for p in named.values() if (p.dim() >= 2) == matrix], "weight_decay": decay}
        for matrix, decay in ((True, run["weightDecay"]), (False, 0.0))
    ]
    optimizer = torch.optim.AdamW(groups, lr=run["learningRate"], betas=run["betas"], eps=run["eps"])
    moments = load_file(HERE / "trainer/optimizer.safetensors")
    for name, parameter in named.items():
        optimizer.state[parameter] = {
            "step": torch.tensor(float(run["updates"])),
            "exp_avg": like(moments[f"exp_avg.{name}"], parameter),
            "exp_avg_sq": like(moments[f"exp_avg_sq.{name}"], parameter),
        }
    return optimizer


def synchronise(model, now):
    """Whether the next backward pass averages the gradients of the processes."""
    if isinstance(model, DistributedDataParallel):
        model.require_backward_grad_sync = now
    else:
        model.set_requires_gradient_sync(now)


def step_once(model, named, optimizer, data, run, rows):
    """One update; the batch is passed in parts of `rows` rows, whose gradients are summed. Returns loss and norm."""
    inputs, targets = data
    loss_sum = torch.zeros((), device=inputs.device)
    parts = range(0, len(inputs), rows)
    for first in parts:
        here = slice(first, first + rows)
        # The processes' gradients are averaged with those of the last part.
        synchronise(model, first == parts[-1])
        logits = model(input_ids=inputs[here]).logits
        loss = F.cross_entropy(logits.flatten(0, 1), targets[here].flatten(), reduction="sum")
        loss = loss / targets.numel()
        loss.backward()
        loss_sum += loss.detach()
    dist.all_reduce(loss_sum)
    norm = torch.nn.utils.clip_grad_norm_(named.values(), run["maxNorm"])
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return (loss_sum / dist.get_world_size()).item(), whole(norm).item()


def save(out, model, named, optimizer, run, history):
    """Writes the whole folder beside its name, then gives it the name. All processes call it; the first writes."""
    weights = {name: whole(parameter) for name, parameter in named.items()}
    moments = {
        f"{slot}.{name}": whole(optimizer.state[parameter][slot])
        for name, parameter in named.items()
        for slot in ("exp_avg", "exp_avg_sq")
    }
    if dist.get_rank() != 0:
        return
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(HERE, partial, ignore=shutil.ignore_patterns("headwise-manifest.json", "__pycache__"))
    model.save_pretrained(partial, state_dict=weights)
    save_file(moments, partial / "trainer/optimizer.safetensors", {"format": "pt"})
    (partial / "trainer/torch.json").write_text(json.dumps(run, indent=2) + "\n")
    with open(partial / "trainer/history.jsonl", "a") as file:
        file.writelines(json.dumps(entry) + "\n" for entry in history)
    os.replace(partial, out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="a folder that is not there yet")
    parser.add_argument("--until", type=int, help="the steps of the run after which to stop; default all")
    parser.add_argument("--rows", type=int, help="rows of a process that are computed at a time; default all")
    parser.add_argument(
        "--shards", nargs="+", help="the folders of the run's shards, where they are no longer where they were"
    )
    parser.add_argument("--fsdp", action="store_true", help="weights, gradients and moments in shards over the processes")
    args = parser.parse_args()
    run = json.loads((HERE / "trainer/torch.json").read_text())
    until = run["steps"] if args.until is None else args.until
    if args.out.exists():
        parser.error(f"--out {args.out} is there already; expected a new folder")
    if not run["step"] < until <= run["steps"]:
        parser.error(f"--until is {until}; expected more than {run['step']}, at most {run['steps']}")

    cuda = torch.cuda.is_available()
    dist.init_process_group("nccl" if cuda else "gloo")
    rank, world = dist.get_rank(), dist.get_world_size()
    if run["batchSize"] % world != 0:
        parser.error(f"the batch has {run['batchSize']} rows; expected a multiple of {world} processes")
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if cuda else torch.device("cpu")
    torch.manual_seed(run["seed"] + rank)  # of dropout alone

    model = AutoModelForCausalLM.from_pretrained(HERE, dtype=torch.float32).to(device).train()
    if args.fsdp:
        wrapped = shard(model, device)
    else:
        wrapped = DistributedDataParallel(model, device_ids=[device.index] if cuda else None)
    named = dict(model.named_parameters())
    optimizer = make_optimizer(run, named)
    batches = ShardBatches(run, args.shards) if "shards" in run else TextBatches(run)
    history = []
    for step in range(run["step"], until):
        begun = time.perf_counter()
        rate = learning_rate(run, step)
        for group in optimizer.param_groups:
            group["lr"] = rate
        data = [part.to(device) for part in batches.at(step, rank, world)]
        loss, norm = step_once(wrapped, named, optimizer, data, run, args.rows or len(data[0]))
        if not math.isfinite(loss) or not math.isfinite(norm):
            raise SystemExit(f"training diverged in step {step}: loss {loss}, norm {norm}")
        entry = {
            "step": step,
            "loss": loss,
            "gradientNorm": norm,
            "learningRate": rate,
            "ms": 1000 * (time.perf_counter() - begun),
            "tokens": run["batchSize"] * run["context"],
        }
        history.append(entry)
        if rank == 0:
            print(json.dumps(entry), flush=True)
    done = {**run, "step": until, "updates": run["updates"] + until - run["step"]}
    save(args.out, model, named, optimizer, done, history)
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
