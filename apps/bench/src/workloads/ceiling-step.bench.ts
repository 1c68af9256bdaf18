import type { Workload } from '@headwise/testing';
import { ceilingOf, printShare } from '../ceiling.js';
import { ourTrainer } from '../training/ours.js';

const rows = 4;
const sizes = { layers: 6, dim: 384, heads: 6, length: 256, vocabulary: 8192 };

/** A whole training step against as many multiply-adds in registers as its products have: three for each value of a matrix and each token. */
export const workloads: Workload[] = [
  {
    name: 'ceiling/step/gpt2/6x384',
    backends: ['webgpu'],
    async prepare() {
      const trainer = ourTrainer('gpt2', sizes, rows);
      const tokens = rows * sizes.length;
      const values = 12 * sizes.layers * sizes.dim ** 2 + sizes.vocabulary * sizes.dim;
      const operations = 6 * tokens * values;
      const ceiling = await ceilingOf(operations);
      // Two steps are recorded, and the third is the first that is replayed.
      for (let step = 0; step < 2; step++) await trainer.step();
      await printShare('ceiling/step/gpt2/6x384', trainer.step, operations, ceiling, tokens);
      return {
        ours: trainer.step,
        peers: { ceiling: ceiling.run },
        dispose: () => {
          ceiling.dispose();
          trainer.dispose();
        },
      };
    },
  },
];
