import type { Run, Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { stockGpt2 } from '../stock/gpt2.js';
import { StockTrainer } from '../stock/model.js';
import { jaxTrainer } from '../training/jax.js';
import { ourTrainer } from '../training/ours.js';
import { type TrainingSizes, trainingIds } from '../training/sizes.js';

/**
 * A whole training step of GPT-2: ours is that of `train`, which clips, decays and reads the loss; the stock one does neither.
 *
 * Where steps are recorded, a peer is the same training without that. Their memory is that of a step: what a training holds from
 * step to step, `training/memory` counts.
 */
function trainingStep(
  sizes: TrainingSizes,
  batchSize: number,
  backends?: Workload['backends'],
): Workload {
  const { layers, dim, heads, length, vocabulary } = sizes;
  return {
    name: `gpt2/training-step/L${layers}D${dim}H${heads}T${length}B${batchSize}V${vocabulary}`,
    ...(backends ? { backends } : {}),
    async prepare() {
      const { inputs, targets } = trainingIds('gpt2', sizes, batchSize);
      const ours = ourTrainer('gpt2', sizes, batchSize);
      const eager =
        tf.getBackend() === 'webgpu'
          ? ourTrainer('gpt2', sizes, batchSize, { record: false })
          : undefined;
      const stock = new StockTrainer(stockGpt2(sizes));
      // On one core both it and ours are WebAssembly; elsewhere `training/gpt2` has it.
      const jax =
        tf.getBackend() === 'wasm' ? await jaxTrainer('gpt2', sizes, batchSize) : undefined;
      const ids = tf.tensor2d(inputs, [batchSize, length], 'int32');
      const labels = tf.tensor1d(targets, 'int32');
      const peers: Record<string, Run> = {
        ...(eager ? { 'ours unrecorded': eager.step } : {}),
        ...(jax && typeof jax !== 'string' ? { 'jax-js': jax.step } : {}),
        stock: () => stock.step({ inputs: ids, targets: labels }),
      };
      // Two steps are recorded, and the third is the first that is replayed.
      for (let step = 0; step < 2; step++) await ours.step();
      return {
        ours: ours.step,
        peers,
        dispose: () => {
          ours.dispose();
          eager?.dispose();
          if (jax && typeof jax !== 'string') jax.dispose();
          stock.dispose();
          tf.dispose([ids, labels]);
        },
      };
    },
  };
}

export const workloads: Workload[] = [
  // The model of the main job; a smaller batch where a step takes seconds.
  trainingStep({ layers: 4, dim: 128, heads: 4, length: 64, vocabulary: 1024 }, 8, [
    'webgpu',
    'wasm',
  ]),
  trainingStep({ layers: 4, dim: 128, heads: 4, length: 64, vocabulary: 1024 }, 1, ['cpu']),
  trainingStep({ layers: 6, dim: 384, heads: 6, length: 128, vocabulary: 1024 }, 2, [
    'webgpu',
    'wasm',
  ]),
];
