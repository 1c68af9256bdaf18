import { expectClose, gaussian, poisonMemory } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { expect, test } from 'vitest';
import { subgroupLanes } from '../dispatch/row-group.js';
import { batchedProduct } from './batched.js';
import type { ProductForm, Tiling } from './form.js';
import { registerTiling } from './registers.js';
import { sharedTiling } from './shared.js';
import { shuffleTiling } from './shuffle.js';

const backend = () => tf.backend() as WebGPUBackend;

/** Count, rows, inner size and columns. */
const sizes = [
  [1, 1, 1, 1],
  [3, 5, 17, 67],
  [5, 65, 33, 3],
  [2, 64, 64, 64],
] as const;

const tilings: Record<string, (form: ProductForm) => Tiling> = {
  shared: sharedTiling,
  registers: registerTiling,
  shuffle: (form) => shuffleTiling(subgroupLanes(backend())!, form),
};

test.for(Object.keys(tilings))(
  "the tiling '%s' multiplies matrices of one shape at once",
  async (name, context) => {
    if (name === 'shuffle' && !subgroupLanes(backend())) {
      context.skip('the adapter has no subgroups of one size');
    }
    const tilingOf = tilings[name]!;
    for (const [count, rows, inner, columns] of sizes) {
      const a = gaussian([count, rows, inner], 1);
      const b = gaussian([count, inner, columns], 2);
      const added = gaussian([count, rows, columns], 3);
      const expected = a.matMul(b).mul(0.5).add(added.mul(-2));
      for (const transposed of [false, true]) {
        const right = transposed ? b.transpose([0, 2, 1]) : b;
        await right.data();
        await poisonMemory([[count, rows, columns]]);
        const options = { transposed, factor: 0.5, added, addedFactor: -2, tilingOf };
        const made = batchedProduct(backend(), a, right, options);
        const product = tf.engine().makeTensorFromTensorInfo(made);
        await expectClose(product, expected, { ratio: 2e-6 });
        expect(product.shape).toEqual([count, rows, columns]);
      }
    }
  },
);
