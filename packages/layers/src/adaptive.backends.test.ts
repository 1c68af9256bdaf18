import { ParamStore } from '@headwise/core';
import { describeBackends, expectClose, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { AdaptiveEmbedding, AdaptiveSoftmax } from './adaptive.js';

const sizes = { count: 11, dim: 6, width: 4, cutoffs: [3, 7], divisor: 2 };

describeBackends('adaptive embeddings', () => {
  test('look up a row of the id’s cluster and project it', async () => {
    const params = new ParamStore({ seed: 1 });
    const layer = new AdaptiveEmbedding(params, sizes);
    const named = params.named();
    expect(Object.entries(named).map(([path, { shape }]) => [path, shape])).toEqual([
      ['tables.0.weight', [3, 4]],
      ['projections.0.weight', [6, 4]],
      ['tables.1.weight', [4, 2]],
      ['projections.1.weight', [6, 2]],
      ['tables.2.weight', [4, 1]],
      ['projections.2.weight', [6, 1]],
    ]);
    const row = (cluster: number, at: number) =>
      tf.matMul(
        named[`tables.${cluster}.weight`]!.slice([at, 0], [1, -1]) as tf.Tensor2D,
        named[`projections.${cluster}.weight`]! as unknown as tf.Tensor2D,
        false,
        true,
      );
    const y = layer.forward(tf.tensor2d([2, 3, 6, 10], [2, 2], 'int32'));
    const expected = tf.concat([row(0, 2), row(1, 0), row(1, 3), row(2, 3)]).reshape([2, 2, 6]);
    await expectClose(y, expected);
    params.dispose();
  });

  test('one cluster of the full width is a plain table, and its softmax that of its scores', async () => {
    const params = new ParamStore({ seed: 2 });
    const layer = new AdaptiveEmbedding(params, { count: 5, dim: 3 });
    const softmax = new AdaptiveSoftmax(params.at('head'), layer);
    expect(Object.keys(params.named())).toEqual(['tables.0.weight', 'head.tables.0.bias']);
    const table = params.named()['tables.0.weight']! as unknown as tf.Tensor2D;
    await expectClose(layer.forward(tf.tensor1d([4, 0], 'int32')), table.gather([4, 0]));
    const x = gaussian([2, 3], 3);
    const scores = tf.matMul(x as tf.Tensor2D, table, false, true);
    await expectClose(softmax.forward(x), tf.logSoftmax(scores));
    params.dispose();
  });

  test('probabilities sum to 1, and a cluster’s to that of the cluster', async () => {
    const params = new ParamStore({ seed: 3 });
    const layer = new AdaptiveEmbedding(params, { ...sizes, init: (shape) => values(shape, 5) });
    const softmax = new AdaptiveSoftmax(params.at('head'), layer, {
      tied: [false, true, true],
      init: (shape) => values(shape, 6),
    });
    for (const [path, variable] of Object.entries(params.named())) {
      if (/clusters|bias/.test(path)) variable.assign(gaussian(variable.shape, path.length));
    }
    expect(Object.keys(params.named())).toContain('head.projections.0.weight');
    expect(Object.keys(params.named())).not.toContain('head.projections.1.weight');
    const x = gaussian([2, 5, 6], 4);
    const p = softmax.forward(x).exp();
    expect(p.shape).toEqual([2, 5, 11]);
    await expectClose(p.sum(-1), Array(10).fill(1));
    const named = params.named();
    const at = (path: string) => named[path]! as unknown as tf.Tensor2D;
    const head = tf.matMul(x.reshape<tf.Tensor2D>([10, 6]), at('head.projections.0.weight'));
    const all = tf.concat([at('tables.0.weight'), at('head.clusters.weight')]);
    const biases = tf.concat([named['head.tables.0.bias']!, named['head.clusters.bias']!]);
    const first = tf.softmax(tf.matMul(head, all, false, true).add(biases)); // [10, 3 + 2]
    const rest = p.reshape([10, 11]).slice([0, 3], [10, 4]).sum(-1);
    await expectClose(rest, first.slice([0, 3], [10, 1]).reshape([10]));
    params.dispose();
  });

  test('cutoffs that do not grow, and clusters without width, are refused', () => {
    const params = new ParamStore();
    const make = (options: object) => new AdaptiveEmbedding(params, { ...sizes, ...options });
    expect(() => make({ cutoffs: [7, 3] })).toThrow(
      'cutoffs are [7, 3]; expected whole numbers that grow, between 0 and 11',
    );
    expect(() => make({ cutoffs: [3, 11] })).toThrow('cutoffs are [3, 11]');
    expect(() => make({ divisor: 3 })).toThrow(
      'width 4 over divisor 3 leaves nothing for cluster 2',
    );
    params.dispose();
  });
});

/** Values that are large enough to tell places apart. */
function values(shape: readonly number[], seed: number): Float32Array {
  const size = shape.reduce((product, n) => product * n, 1);
  return Float32Array.from({ length: size }, (_, i) => Math.sin(seed * (i + 1)));
}
