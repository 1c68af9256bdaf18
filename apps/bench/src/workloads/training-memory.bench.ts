import type { Run, Workload } from '@headwise/testing';
import { ourTrainer } from '../training/ours.js';
import type { TrainedFamily } from '../training/sizes.js';
import { stockTrainer } from '../training/stock.js';
import type { Trainer } from '../training/trainer.js';

/** All buffers of a training, parameters and the optimizer's state included; its time includes making them. */
function memoryOfTraining(family: TrainedFamily, length: number): Workload {
  const sizes = { layers: 4, dim: 128, heads: 4, length, vocabulary: 8192 };
  const whole =
    (made: (...given: Parameters<typeof stockTrainer>) => Trainer): Run =>
    async () => {
      const trainer = made(family, sizes, 1);
      // The second step has the optimizer's state from the start; the third is the first that may be replayed.
      for (let step = 0; step < 3; step++) await trainer.step();
      trainer.dispose();
      return {};
    };
  return {
    name: `training/memory/${family}/4x128/T${length}`,
    backends: ['webgpu'],
    prepare: () => ({
      ours: whole(ourTrainer),
      peers: {
        'ours unrecorded': whole((...given) => ourTrainer(...given, { record: false })),
        stock: whole(stockTrainer),
      },
    }),
  };
}

export const workloads: Workload[] = [
  memoryOfTraining('gpt2', 512),
  memoryOfTraining('gpt2', 1024),
  memoryOfTraining('bert', 512),
  memoryOfTraining('bert', 1024),
  // At 1,024 tokens TensorFlow.js cannot dispatch the gradient of T5's biases.
  memoryOfTraining('t5', 512),
];
