import { expectClose, gaussian, poisonMemory } from '@headwise/testing';
import { test } from 'vitest';
import { flatGlobalNorm } from './flat.js';
import { globalNormReference } from './reference.js';

test('the global norm does not depend on how the tensors are cut', async () => {
  const tensors = [[1], [3, 5], [64, 65], [127], [513], [9000]].map((shape, i) =>
    gaussian(shape, i + 1),
  );
  const expected = globalNormReference(tensors, 2, 0.25);
  for (const most of [37, 1000, 4096, 5000, 2 ** 24]) {
    await poisonMemory([[most], [4], [400]]);
    const { norm, scale } = flatGlobalNorm(tensors, 2, 0.25, most);
    await expectClose(norm, expected.norm, { ratio: 1e-6 });
    await expectClose(scale, expected.scale, { ratio: 1e-6 });
  }
});
