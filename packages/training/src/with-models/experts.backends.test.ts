import { languageModel, loadModel } from '@headwise/models';
import { folderFiles } from '@headwise/models/node';
import { describeBackends } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { languageModelLoss, lossAndGradients } from '../index.js';

const golden = new URL('../../../parity/goldens/mixtral/', import.meta.url).pathname;
const ids = Int32Array.from([3, 1, 4, 1, 5, 9, 2, 6, 5, 3]);
const batch = { inputs: ids, targets: ids.map((id) => 60 - id), shape: [2, 5] } as const;

/** The balance of transformers' `load_balancing_loss_func`, in plain numbers. */
function balanceOf(layers: number[][][], active: number): number {
  const experts = layers[0]![0]!.length;
  const [used, likely] = [Array<number>(experts).fill(0), Array<number>(experts).fill(0)];
  const rows = layers.flat();
  for (const scores of rows) {
    const most = Math.max(...scores);
    const all = scores.reduce((sum, score) => sum + Math.exp(score - most), 0);
    scores.forEach((score, e) => {
      likely[e]! += Math.exp(score - most) / all / rows.length;
    });
    const best = scores.map((_, e) => e).sort((a, b) => scores[b]! - scores[a]!);
    for (const e of best.slice(0, active)) used[e]! += 1 / rows.length;
  }
  return experts * used.reduce((sum, share, e) => sum + share * likely[e]!, 0);
}

describeBackends('mixture of experts', () => {
  test('the loss counts the balance of all layers, and its router learns from it', async () => {
    const model = languageModel(await loadModel(folderFiles(golden)));
    const { network, params } = model;
    const before = tf.memory().numTensors;
    const layers: number[][][] = [];
    const seen: tf.Tensor2D[] = [];
    const onRouting = (_: string, scores: tf.Tensor2D) => seen.push(tf.keep(scores.clone()));
    tf.tidy(() => void network.forward(tf.tensor2d(ids, [2, 5], 'int32'), { onRouting }));
    for (const scores of seen) layers.push(await scores.array());
    tf.dispose(seen);
    const { routing, ...plain } = { head: network.head, routing: network.routing };
    expect(routing).toEqual({ active: 2, balance: 0.3 });
    const without = {
      ...plain,
      vocabSize: network.vocabSize,
      maxLength: 64,
      forward: network.forward,
    };
    const losses: number[] = [];
    for (const of of [network, without]) {
      const loss = tf.tidy(() => languageModelLoss(of, batch));
      losses.push((await loss.data())[0]!);
      loss.dispose();
    }
    expect(losses[0]! - losses[1]!).toBeCloseTo(0.3 * balanceOf(layers, 2), 5);
    const { loss, gradients } = lossAndGradients(params.named(), () =>
      languageModelLoss(network, batch),
    );
    const router = await gradients['blocks.0.mlp.router.weight']!.data();
    expect(router.some((value) => value !== 0)).toBe(true);
    tf.dispose([loss, gradients]);
    expect(tf.memory().numTensors).toBe(before);
    params.dispose();
  });
});
