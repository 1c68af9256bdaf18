"""Continues prompts greedily in vLLM: python greedy.py FOLDER TOKENS, a JSON list of texts on stdin, ids on stdout."""

import json
import sys

from vllm import LLM, SamplingParams


def main(folder, tokens):
    prompts = json.load(sys.stdin)
    llm = LLM(
        model=folder,
        dtype="float32",
        max_model_len=64,
        max_num_seqs=4,
        enforce_eager=True,
        distributed_executor_backend="uni",
    )
    greedy = SamplingParams(temperature=0, max_tokens=int(tokens), ignore_eos=True)
    outputs = llm.generate(prompts, greedy, use_tqdm=False)
    print()
    print(json.dumps([{"ids": list(o.prompt_token_ids), "tokens": list(o.outputs[0].token_ids)} for o in outputs]))


# vLLM starts its engine in a process that imports this file.
if __name__ == "__main__":
    main(*sys.argv[1:])
