import type { Workload } from '@headwise/testing';
import { planMemory } from '@headwise/training';
import { ourTrainer } from '../training/ours.js';
import { configurationOf, type TrainedFamily } from '../training/sizes.js';

const sizes = { layers: 12, dim: 128, heads: 4, length: 256, vocabulary: 1024 };
const rows = 4;

/** A step that computes each block of twelve again, against one that keeps their activations. */
function checkpointing(family: TrainedFamily): Workload {
  return {
    name: `training/checkpoint/${family}/12x128`,
    backends: ['webgpu'],
    async prepare() {
      const planned = (checkpoint: boolean) =>
        planMemory(configurationOf(family, sizes), { rows, tokens: sizes.length }, { checkpoint });
      const [again, kept] = [await planned(true), await planned(false)];
      const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
      console.log(
        `  ${family}: activations of ${mib(again.activations)} MiB instead of ${mib(kept.activations)}`,
      );
      const [ours, keeping] = [
        ourTrainer(family, sizes, rows, { checkpoint: true }),
        ourTrainer(family, sizes, rows),
      ];
      return {
        ours: ours.step,
        peers: { 'without checkpoints': keeping.step },
        dispose() {
          ours.dispose();
          keeping.dispose();
        },
      };
    },
  };
}

export const workloads: Workload[] = [checkpointing('gpt2'), checkpointing('bert')];
