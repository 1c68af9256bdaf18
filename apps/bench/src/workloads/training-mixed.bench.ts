import type { Workload } from '@headwise/testing';
import { planMemory } from '@headwise/training';
import { ourTrainer } from '../training/ours.js';
import { configurationOf, type TrainingSizes } from '../training/sizes.js';

const [length, vocabulary] = [256, 8192];
const models: Record<string, TrainingSizes> = {
  '4x128': { layers: 4, dim: 128, heads: 4, length, vocabulary },
  '6x384': { layers: 6, dim: 384, heads: 6, length, vocabulary },
};
const rows = 2;

/** A step in mixed precision against one in float32, with the memory that both are planned to take. */
function mixedPrecision(size: string, sizes: TrainingSizes): Workload {
  return {
    name: `training/mixed/gpt2/${size}`,
    backends: ['webgpu'],
    async prepare() {
      const batch = { rows, tokens: sizes.length };
      const configuration = configurationOf('gpt2', sizes);
      for (const precision of ['float32', 'mixed'] as const) {
        const { activations, peak } = await planMemory(configuration, batch, { precision });
        const [kept, most] = [activations, peak].map((bytes) => (bytes / 2 ** 20).toFixed(1));
        console.log(`  ${precision}: activations of ${kept} MiB, peak of ${most} MiB`);
      }
      const [ours, plain] = [
        ourTrainer('gpt2', sizes, rows, { precision: 'mixed' }),
        ourTrainer('gpt2', sizes, rows),
      ];
      return {
        ours: ours.step,
        peers: { float32: plain.step },
        dispose() {
          ours.dispose();
          plain.dispose();
        },
      };
    },
  };
}

export const workloads: Workload[] = Object.entries(models).map(([size, sizes]) =>
  mixedPrecision(size, sizes),
);
