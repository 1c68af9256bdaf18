import { currentDevice } from '@headwise/core';
import { generate } from '@headwise/generation';
import { start } from '@headwise/kernels';
import { createModel, languageModel, type WeightDtype } from '@headwise/models';
import { loadModel } from '@headwise/models/node';
import { AdamW, causalLanguageModel, constantRate, train } from '@headwise/training';
import { finished } from '../measure.js';
import type { Start } from './start.js';

// One start of a process that has done nothing before, on WebGPU: child.js init | load | load-and-token | training-step | token, then for
// loading a folder and a dtype. Sends what it took to its parent, or prints it.
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
const prompt = [...inputs.subarray(0, 16)];

type Times = Pick<Start, 'ms' | 'processorMs' | 'againMs'>;

const load = () => loadModel(folder!, { dtype: dtype as WeightDtype });

const measures: Record<string, () => Promise<Times>> = {
  init: () => times(() => createModel({ model_type: 'gpt2' })),
  load: () => times(load),
  'load-and-token': () =>
    times(async () => {
      const { network } = languageModel(await load());
      for await (const _ of generate(network, prompt, { maxNewTokens: 1 }));
    }),
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
      const tokens = generate(network, prompt, { maxNewTokens: 4 });
      for await (const _ of tokens) return;
    });
  },
};

const measured: Start = { ...(await measures[what!]!()), ...pipelines() };
if (process.send) process.send(measured);
else console.log(JSON.stringify(measured));
process.disconnect?.();
process.exitCode = 0;
setTimeout(() => process.exit(), 100);

async function times(run: () => unknown): Promise<Times> {
  const [begin, before] = [performance.now(), process.cpuUsage()];
  await run();
  await finished();
  const { user, system } = process.cpuUsage(before);
  return { ms: performance.now() - begin, processorMs: (user + system) / 1000 };
}

/** The times of the first run, and the shortest of three more; the first of these may record the step. */
async function firstAndNext(run: () => Promise<unknown>): Promise<Times> {
  const first = await times(run);
  const again = [await times(run), await times(run), await times(run)];
  return { ...first, againMs: Math.min(...again.map(({ ms }) => ms)) };
}

/** Counts the pipelines that a device makes from now on. */
function countPipelines(gpu: GPUDevice): () => Pick<Start, 'pipelines' | 'waitedFor'> {
  const counts = { createComputePipeline: 0, createComputePipelineAsync: 0 };
  for (const name of Object.keys(counts) as (keyof typeof counts)[]) {
    const make = gpu[name].bind(gpu) as (descriptor: GPUComputePipelineDescriptor) => never;
    gpu[name] = (descriptor: GPUComputePipelineDescriptor) => {
      counts[name]++;
      return make(descriptor);
    };
  }
  return () => {
    const { createComputePipeline: waitedFor, createComputePipelineAsync: ahead } = counts;
    return { pipelines: waitedFor + ahead, waitedFor };
  };
}
