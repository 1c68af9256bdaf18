// Compares vLLM with our own models: the same folder, the same token ids of 20 prompts, and the same greedy continuations.
//
//   node tools/vllm/compare.mjs PYTHON [model …]
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  continuations,
  continued,
  distinctOf,
  memorised,
  mostlyDistinct,
} from '../llama-cpp/memorised.mjs';
import { families } from '../llama-cpp/models.mjs';
import { record } from '../record.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const [python = 'python3', ...only] = process.argv.slice(2);

const compared = ['gpt2', 'llama', 'llama-llama3', 'mistral', 'qwen2', 'falcon', 'bloom'];

const results = [];
for (const name of compared) {
  if (only.length > 0 && !only.includes(name)) continue;
  const { config } = families[name];
  const result = await compare(name, config);
  results.push(result);
  console.log(JSON.stringify(result));
}
const versions = { node: process.version, ...pythonVersions(), cpu: cpus()[0]?.model };
record(join(here, 'result.json'), { versions, prompts: 20, continued }, results);
process.exitCode = results.every(({ good }) => good) ? 0 : 1;

async function compare(name, config) {
  const folder = memorised(name, config);
  const { cases } = await continuations(folder);
  const distinct = distinctOf(cases);
  const told = execFileSync(python, [join(here, 'greedy.py'), folder, String(continued)], {
    input: JSON.stringify(cases.map(({ prompt }) => prompt)),
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      ...process.env,
      HF_HUB_OFFLINE: '1',
      VLLM_ENABLE_V1_MULTIPROCESSING: '0',
      VLLM_CPU_KVCACHE_SPACE: '1',
      VLLM_NO_USAGE_STATS: '1',
      VLLM_LOGGING_LEVEL: 'WARNING',
    },
  });
  const theirs = JSON.parse(told.trim().split('\n').at(-1));
  const same = (key) =>
    cases.filter((one, i) => String(one[key]) === String(theirs[i][key])).length;
  const [sameIds, sameTokens] = [same('ids'), same('tokens')];
  const good = distinct >= mostlyDistinct && Math.min(sameIds, sameTokens) === cases.length;
  return { model: name, good, distinct, sameIds, sameTokens };
}

function pythonVersions() {
  const code =
    'import json, sys; from importlib.metadata import version; print(json.dumps({"python": sys.version.split()[0], **{name: version(name) for name in ("vllm-cpu", "torch", "transformers")}}))';
  return JSON.parse(execFileSync(python, ['-c', code], { encoding: 'utf8' }));
}
