import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { planMemory } from './plan-memory.js';
import { MemoryPlanError, type PlannedRun, planWithin, type RemedyWords } from './plan-within.js';

const configuration = {
  model_type: 'gpt2',
  n_layer: 2,
  vocab_size: 500,
  n_embd: 96,
  n_head: 4,
} as const;
const run: PlannedRun = { configuration, batch: { rows: 8, tokens: 128 } };
const lora = { rank: 4, targets: /qkv$/ };
/** These tests run without WebGPU, where steps are not recorded. */
const eager = { record: false };
const remedies: RemedyWords = {
  batch: (rows, accumulate) => `--batch-size ${rows} --accumulate ${accumulate}`,
  checkpoint: '--checkpoint',
  lora: { words: '--method lora', options: lora },
  dtype: (dtype) => `--dtype ${dtype}`,
  tokens: (tokens) => `--max-length ${tokens}`,
};

async function refused(limit: number, given = run): Promise<MemoryPlanError> {
  const error: unknown = await planWithin(given, { limit, remedies }).catch((caught) => caught);
  expect(error).toBeInstanceOf(MemoryPlanError);
  return error as MemoryPlanError;
}

test('a plan at the limit is given back; over it, the mildest batch that fits is named with its own plan', async () => {
  const plan = await planMemory(configuration, run.batch, eager);
  expect(await planWithin(run, { limit: plan.peak, remedies })).toEqual(plan);
  const four = await planMemory(
    configuration,
    { rows: 4, tokens: 128 },
    { ...eager, accumulate: 2 },
  );
  const { remedies: tried, message } = await refused(four.peak);
  expect(tried).toEqual([{ words: '--batch-size 4 --accumulate 2', peak: four.peak, fits: true }]);
  expect(message).toMatch(
    /^training needs \d+\.\d MB of memory at its peak \(\w+\); the limit is \d/,
  );
  expect(message).toMatch(/weights \d.*gradients \d.*optimizer \d.*activations \d.*logits \d/);
  expect(message).toMatch(/--batch-size 4 --accumulate 2 {2}\d.* MB, which fits$/);
});

test('each remedy is planned on top of those before it, until one fits', async () => {
  const rows = { rows: 1, tokens: 128 };
  const steps = { accumulate: 8, checkpoint: true, lora, dtype: 'int4' } as const;
  const int4 = await planMemory(configuration, rows, { ...eager, ...steps });
  const { remedies: tried } = await refused(int4.peak);
  expect(tried.map(({ words }) => words)).toEqual([
    '--batch-size 1 --accumulate 8',
    '--checkpoint',
    '--method lora',
    '--dtype int8',
    '--dtype int4',
  ]);
  const peaks = tried.map(({ peak }) => peak!);
  expect(peaks.at(-1)).toBe(int4.peak);
  expect(peaks).toEqual(peaks.toSorted((a, b) => b - a));
  expect(tried.map(({ fits }) => fits)).toEqual([false, false, false, false, true]);
});

test('what a run does already is not offered, and where nothing is enough it says so', async () => {
  const packed = {
    ...run,
    options: { lora, dtype: 'int8', checkpoint: true, accumulate: 3 },
  } as const;
  const { remedies: tried, message } = await refused(1000, packed);
  expect(tried.map(({ words }) => words)).toEqual([
    '--batch-size 1 --accumulate 24',
    '--dtype int4',
    '--max-length 16',
  ]);
  expect(message).toMatch(/\nnone of them is enough: take a smaller model$/);
  const alone = await planWithin(run, { limit: 1000 }).catch((error) => error);
  expect(alone.message).not.toContain('takes less');
});

test('a tensor larger than the buffers of the device is refused as a plan, and leaves the backend as it was', async () => {
  const before = { backend: tf.getBackend(), tensors: tf.memory().numTensors };
  const limits = { maxBufferSize: 2 ** 19, maxStorageBufferBindingSize: 2 ** 19 };
  const {
    plan,
    remedies: tried,
    message,
  } = await refused(2 ** 30, { ...run, options: { limits } });
  expect(plan).toBeUndefined();
  expect(message).toContain('the device makes buffers of at most 524288');
  expect(tried[0]).toEqual({
    words: '--batch-size 2 --accumulate 4',
    peak: expect.any(Number),
    fits: true,
  });
  expect({ backend: tf.getBackend(), tensors: tf.memory().numTensors }).toEqual(before);
  await expect(planWithin(run, { limit: 0 })).rejects.toThrow('limit is 0; expected bytes');
});
