import { chunkedCrossEntropy, overwriteTensor, recordStep } from '@headwise/kernels';
import { createModel } from '@headwise/models';
import type { Workload } from '@headwise/testing';
import { AdamW, clipping, languageModelLoss, lossAndGradients } from '@headwise/training';
import * as tf from '@tensorflow/tfjs';
import { stockGpt2 } from '../stock/gpt2.js';
import { StockTrainer } from '../stock/model.js';
import { gpt2Configuration, type TrainingSizes } from '../training/sizes.js';

/** A whole training step of GPT-2: ours clips and decays too, the stock one does not. */
function trainingStep(
  sizes: TrainingSizes,
  batchSize: number,
  backends?: Workload['backends'],
): Workload {
  const { layers, dim, heads, length, vocabulary } = sizes;
  return {
    name: `gpt2/training-step/L${layers}D${dim}H${heads}T${length}B${batchSize}V${vocabulary}`,
    ...(backends ? { backends } : {}),
    prepare() {
      const count = batchSize * length;
      const inputs = Int32Array.from({ length: count }, (_, i) => (i * 7919) % vocabulary);
      const targets = Int32Array.from({ length: count }, (_, i) => ((i + 1) * 7919) % vocabulary);
      const { network, params } = createModel(gpt2Configuration(sizes));
      const named = params.named();
      const optimizer = new AdamW(named);
      const stock = new StockTrainer(stockGpt2(sizes));
      const ids = tf.tensor2d(inputs, [batchSize, length], 'int32');
      const labels = tf.tensor1d(targets, 'int32');
      const update = (gradients: Record<string, tf.Tensor>) => {
        const { norm, scale } = clipping(gradients, 1);
        optimizer.update(gradients, 1e-3, scale);
        tf.dispose([norm, scale]);
      };
      // The same dispatches again, without the JavaScript of the forward and the backward.
      const head = network.head!;
      const recording =
        tf.getBackend() === 'webgpu'
          ? recordStep(() =>
              lossAndGradients(named, () => {
                const hidden = head.hidden(ids).reshape<tf.Tensor2D>([count, dim]);
                return chunkedCrossEntropy(hidden, head.weight as tf.Tensor2D, labels);
              }),
            )
          : undefined;
      const replayed = () => {
        overwriteTensor(ids, inputs);
        overwriteTensor(labels, targets);
        recording!.replay();
        update(recording!.outputs.gradients);
        return recording!.outputs.loss.clone();
      };
      return {
        ours: () => {
          const batch = { inputs, targets, shape: [batchSize, length] as const };
          const { loss, gradients } = lossAndGradients(named, () =>
            languageModelLoss(network, batch),
          );
          update(gradients);
          tf.dispose(gradients);
          return loss;
        },
        peers: {
          ...(recording ? { 'ours replayed': replayed } : {}),
          stock: () => stock.step({ inputs: ids, targets: labels }),
        },
        dispose: () => {
          recording?.dispose();
          optimizer.dispose();
          params.dispose();
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
  trainingStep({ layers: 6, dim: 384, heads: 6, length: 128, vocabulary: 1024 }, 2, ['webgpu']),
];
