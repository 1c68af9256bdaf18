// One side of a comparison: a process that times the workloads of the repository that it lies in, a round when it is asked to.
import { type BackendName, ShapeError } from '@headwise/core';
import { start } from '@headwise/kernels';
import type { Contestants, Workload } from '@headwise/testing';
import { findWorkloads } from '../find.js';
import { peakBytes, timed } from '../measure.js';
import type { Answers, Question } from './questions.js';

let workloads: Workload[] = [];
let contestants: Contestants | undefined;

const answers: { [K in keyof Answers]: (about: string) => Promise<Answers[K]> } = {
  async workloads() {
    workloads = await findWorkloads([]);
    return workloads.map(({ name, backends, installsPeers }) => ({
      name,
      backends,
      installsPeers,
    }));
  },
  start: async (backend) => ({
    adapter: (await start({ prefer: backend as BackendName })).adapter,
  }),
  async prepare(name) {
    try {
      contestants = await workloads.find((workload) => workload.name === name)!.prepare();
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      return { refused: error.message };
    }
    await timed(contestants.ours);
    return { peakBytes: await peakBytes(contestants.ours) };
  },
  round: async () => ({ ms: await timed(contestants!.ours) }),
  async dispose() {
    contestants?.dispose?.();
    contestants = undefined;
    return {};
  },
};

process.on('message', async ({ question, about }: Question) => {
  try {
    process.send!({ answer: await answers[question](about) });
  } catch (error) {
    process.send!({ error: (error as Error).message });
  }
});
