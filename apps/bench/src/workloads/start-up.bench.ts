import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createModel } from '@headwise/models';
import { saveModel } from '@headwise/models/node';
import type { Contestants, Run, Workload } from '@headwise/testing';
import { started } from '../start-up/start.js';

/** Times what a new process does first; `pipelines` and the time of a second run stand in the row's counts. */
function first(...args: string[]): { run: Run; counts: Record<string, number> } {
  const counts: Record<string, number> = {};
  const run = async () => {
    const { ms, pipelines, againMs } = await started(...args);
    counts.pipelines = pipelines;
    if (againMs !== undefined) counts['again, ms'] = Math.round(againMs);
    return { ms };
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
  const load = (dtype: string) => first('load', folder, dtype).run;
  return {
    ours: load('f32'),
    peers: { int8: load('int8'), int4: load('int4'), f16: load('f16') },
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
