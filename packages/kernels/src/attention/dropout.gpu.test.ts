import { cases, expectClose, gaussian, outputAndGradients } from '@headwise/testing';
import { test } from 'vitest';
import { attention } from './index.js';
import { none } from './masks/mask.js';
import { causal, prefix } from './masks/order.js';
import { scoreMod } from './mods.js';
import { attentionReference } from './reference.js';

// Long scores make tilings meet one row at a time, short ones many.
const capped = scoreMod((score, _b, h, q, k) =>
  score.add(q.sub(k).toFloat().mul(0.01)).div(h.toFloat().add(9)).tanh().mul(9),
);

const all = [
  { length: 8, keys: 8, mask: none, mods: [], seed: 11 },
  { length: 65, keys: 70, mask: causal, mods: [capped], seed: 4_000_000_000 },
  { length: 5, keys: 131, mask: prefix(99), mods: [capped], seed: 2 ** 40 + 3 },
];

for (const { length, keys, mask, mods, seed } of cases(all, ({ length }) => length < 65)) {
  test(`weights that are dropped are the reference's: ${length} × ${keys}, ${mask.name}`, async () => {
    const inputs = [
      gaussian([2, 4, length, 8], 1),
      gaussian([2, 2, keys, 8], 2),
      gaussian([2, 2, keys, 8], 3),
    ];
    const options = { mask, mods, scale: 1, dropout: { rate: 0.3, seed } };
    const of = (f: typeof attentionReference) =>
      outputAndGradients((q, k, v) => f(q!, k!, v!, options), inputs);
    const [actual, expected] = [of(attention), of(attentionReference)];
    await expectClose(actual.output, expected.output);
    for (const [i, gradient] of actual.gradients.entries()) {
      await expectClose(gradient, expected.gradients[i]!, { floor: 1e-6 });
    }
  });
}
