import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createModel } from '@headwise/models';
import { saveModel } from '@headwise/models/node';
import type { Contestants, Run, Workload } from '@headwise/testing';
import { median } from '../measure.js';
import { type Start, started } from '../start-up/start.js';

/** Times what a new process does first; what else it took stands in the row's counts, by the medians of its runs. */
function first(...args: string[]): { run: Run; counts: Record<string, number> } {
  const counts: Record<string, number> = {};
  const all: Start[] = [];
  const run = async () => {
    const start = await started(...args);
    all.push(start);
    const medianOf = (name: keyof Start) => Math.round(median(all.map((one) => one[name] ?? 0)));
    counts.pipelines = start.pipelines;
    counts['of them waited for'] = start.waitedFor;
    counts['processor, ms'] = medianOf('processorMs');
    if (start.againMs !== undefined) counts['again, ms'] = medianOf('againMs');
    return { ms: start.ms };
  };
  return { run, counts };
}

const alone = (what: string): Contestants => {
  const { run, counts } = first(what);
  return { ours: run, peers: {}, counts };
};

/** Loading GPT-2 small from float32 values on disk, packed and as it is. */
async function loading(): Promise<Contestants> {
  const folder = mkdtempSync(join(tmpdir(), 'headwise-start-up-'));
  const model = createModel({ model_type: 'gpt2' });
  await saveModel(folder, model);
  model.params.dispose();
  const counts: Record<string, number> = {};
  const contestant = (what: string, dtype: string) => {
    const { run, counts: own } = first(what, folder, dtype);
    const name = what === 'load' ? dtype : 'and a token';
    return async () => {
      const result = await run();
      counts[`${name}: processor, ms`] = own['processor, ms']!;
      return result;
    };
  };
  const load = (dtype: string) => contestant('load', dtype);
  return {
    ours: load('f32'),
    peers: {
      int8: load('int8'),
      int4: load('int4'),
      f16: load('f16'),
      'f32 and a token': contestant('load-and-token', 'f32'),
    },
    counts,
    dispose: () => rmSync(folder, { recursive: true }),
  };
}

const backends = ['webgpu'] as const;
export const workloads: Workload[] = [
  { name: 'start-up/init/gpt2-small', backends, prepare: () => alone('init') },
  { name: 'start-up/load/gpt2-small', backends, prepare: loading },
  { name: 'start-up/training-step/L12D768', backends, prepare: () => alone('training-step') },
  { name: 'start-up/token/L12D768', backends, prepare: () => alone('token') },
];
