import type { Precision } from '@headwise/core';
import { valueAndGradients } from '@headwise/core/internal';
import { countsOf, expectClose, gaussian, recordedBy } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { gatedLinear } from '../gated-linear/index.js';
import { linear } from './index.js';

const shapes: Record<string, number[]> = {
  ...{ x: [70, 36], weight: [36, 40], bias: [40] },
  ...{ gate: [36, 40], gateBias: [40], up: [36, 40], upBias: [40] },
};
const values = Object.fromEntries(
  Object.entries(shapes).map(([name, shape], i) => [name, gaussian(shape, i).mul(0.2)]),
);

/** The gradients of some inputs, and the products of the forward and the backward pass, with what is rounded for them. */
async function gradientsOf(
  names: readonly string[],
  wanted: readonly string[],
  map: (...inputs: tf.Tensor[]) => tf.Tensor,
) {
  const variables = names.map((name) => tf.variable(values[name]!));
  const trained = wanted.map((name) => variables[names.indexOf(name)]!);
  let gradients: (tf.Tensor | undefined)[] = [];
  const recorded = await recordedBy(() => {
    gradients = valueAndGradients(
      () =>
        map(...variables)
          .square()
          .sum(),
      trained,
    ).gradients;
  });
  const counts = countsOf(recorded);
  const count = (label: string) => counts[`headwise/${label}`] ?? 0;
  return { gradients, products: count('MatrixProduct'), rounded: count('ToHalves') };
}

async function expectOnly(
  names: readonly string[],
  products: Record<string, number>,
  map: (...inputs: tf.Tensor[]) => tf.Tensor,
) {
  const whole = (await gradientsOf(names, names, map)).gradients;
  for (const [wanted, expected] of Object.entries(products)) {
    const some = wanted.split(' ');
    const made = await gradientsOf(names, some, map);
    expect(made.products, wanted).toBe(expected);
    for (const [i, name] of some.entries()) {
      await expectClose(made.gradients[i]!, whole[names.indexOf(name)]!);
    }
  }
}

for (const precision of ['float32', 'mixed'] as const satisfies Precision[]) {
  describe(`the backward pass computes what is asked for alone, ${precision}`, () => {
    for (const activation of ['none', 'silu'] as const) {
      test(`linear, ${activation}`, () =>
        expectOnly(
          ['x', 'weight', 'bias'],
          { x: 1, weight: 1, bias: 0, 'weight bias': 1, 'x bias': 1, 'x weight bias': 2 },
          (x, weight, bias) =>
            linear(x!, weight as tf.Tensor2D, bias as tf.Tensor1D, 'in-out', activation, precision),
        ));
    }

    test('gated linear', () =>
      expectOnly(
        ['x', 'gate', 'gateBias', 'up', 'upBias'],
        { x: 2, gate: 1, up: 1, gateBias: 0, 'up upBias': 1, 'x gate gateBias up upBias': 4 },
        (x, gate, gateBias, up, upBias) =>
          gatedLinear(
            x!,
            { weight: gate as tf.Tensor2D, bias: gateBias as tf.Tensor1D },
            { weight: up as tf.Tensor2D, bias: upBias as tf.Tensor1D },
            'in-out',
            'silu',
            precision,
          ),
      ));
  });
}

test('in mixed precision x, the weight and the gradient are rounded once each', async () => {
  const map = (x?: tf.Tensor, weight?: tf.Tensor) =>
    linear(x!, weight as tf.Tensor2D, undefined, 'in-out', 'none', 'mixed');
  expect((await gradientsOf(['x', 'weight'], ['x', 'weight'], map)).rounded).toBe(3);
  // Two maps of one weight.
  const twice = (x?: tf.Tensor, weight?: tf.Tensor) => map(x, weight).add(map(x!.neg(), weight));
  expect((await gradientsOf(['x', 'weight'], ['x', 'weight'], twice)).rounded).toBe(5);
  const gated = (x?: tf.Tensor, gate?: tf.Tensor, up?: tf.Tensor) =>
    gatedLinear(
      x!,
      { weight: gate as tf.Tensor2D },
      { weight: up as tf.Tensor2D },
      'in-out',
      'silu',
      'mixed',
    );
  expect((await gradientsOf(['x', 'gate', 'up'], ['x', 'gate', 'up'], gated)).rounded).toBe(3);
});
