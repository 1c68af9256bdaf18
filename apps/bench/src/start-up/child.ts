import { currentDevice } from '@headwise/core';
import { generate } from '@headwise/generation';
import { start } from '@headwise/kernels';
import { createModel, type WeightDtype } from '@headwise/models';
import { loadModel } from '@headwise/models/node';
import { AdamW, causalLanguageModel, constantRate, train } from '@headwise/training';
import { finished } from '../measure.js';
import type { Start } from './start.js';

// One start of a process that has done nothing before, on WebGPU: child.js init | load | training-step | token, then for load a folder and
// a dtype. Sends what it took to its parent, or prints it.
const [what, folder, dtype] = process.argv.slice(2);
await start({ prefer: 'webgpu' });
const pipelines = countPipelines(currentDevice()!.gpu);

/** 12 layers as wide as those of GPT-2 small, with a small vocabulary. */
const config = {
  model_type: 'gpt2',
  vocab_size: 1024,
  n_positions: 64,
  n_embd: 768,
  n_layer: 12,
  n_head: 12,
} as const;
const length = config.n_positions;
const inputs = Int32Array.from({ length }, (_, i) => (i * 7919) % config.vocab_size);

const measures: Record<string, () => Promise<Omit<Start, 'pipelines'>>> = {
  async init() {
    return { ms: await milliseconds(() => createModel({ model_type: 'gpt2' })) };
  },
  async load() {
    return { ms: await milliseconds(() => loadModel(folder!, { dtype: dtype as WeightDtype })) };
  },
  async 'training-step'() {
    const { network, params } = createModel(config);
    await finished();
    const run = train({
      objective: causalLanguageModel(network),
      params: params.named(),
      optimizer: new AdamW(params.named()),
      schedule: constantRate(1e-4),
      batches: { at: () => ({ inputs, targets: inputs, shape: [1, length] as const }) },
      steps: 4,
    });
    return firstAndNext(() => run.next());
  },
  async token() {
    const { network } = createModel(config);
    await finished();
    return firstAndNext(async () => {
      const tokens = generate(network, [...inputs.subarray(0, 16)], { maxNewTokens: 4 });
      for await (const _ of tokens) return;
    });
  },
};

const measured: Start = { ...(await measures[what!]!()), pipelines: pipelines() };
if (process.send) process.send(measured);
else console.log(JSON.stringify(measured));
process.disconnect?.();
process.exitCode = 0;
setTimeout(() => process.exit(), 100);

async function milliseconds(run: () => unknown): Promise<number> {
  const begin = performance.now();
  await run();
  await finished();
  return performance.now() - begin;
}

/** The time of the first run, and the shortest of three more; the first of these may record the step. */
async function firstAndNext(run: () => Promise<unknown>): Promise<{ ms: number; againMs: number }> {
  const ms = await milliseconds(run);
  const again = [await milliseconds(run), await milliseconds(run), await milliseconds(run)];
  return { ms, againMs: Math.min(...again) };
}

/** Counts the pipelines that a device makes from now on. */
function countPipelines(gpu: GPUDevice): () => number {
  let count = 0;
  for (const name of ['createComputePipeline', 'createComputePipelineAsync'] as const) {
    const make = gpu[name].bind(gpu) as (descriptor: GPUComputePipelineDescriptor) => never;
    gpu[name] = (descriptor: GPUComputePipelineDescriptor) => {
      count++;
      return make(descriptor);
    };
  }
  return () => count;
}
