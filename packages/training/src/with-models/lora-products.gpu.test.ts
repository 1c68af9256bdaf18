import type { LanguageModel, Precision } from '@headwise/core';
import { AdaptedModel, createModel, Lora } from '@headwise/models';
import { countsOf, recordedBy } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { causalLanguageModel, lossAndGradients } from '../index.js';
import { llama, tokens } from './recorded.cases.js';

/** The matrix products of the backward pass, and the sums of gradients of norms' weights. */
async function productsOf(
  network: LanguageModel,
  params: Readonly<Record<string, tf.Variable>>,
  precision: Precision,
) {
  const { loss } = causalLanguageModel(network);
  const recorded = await recordedBy(() => {
    const made = lossAndGradients(params, () => loss(tokens(1), { training: true, precision }));
    tf.dispose([made.loss, made.gradients]);
  });
  const counts = countsOf(recorded);
  const count = (label: string) => counts[`headwise/${label}`] ?? 0;
  return { backwards: count('MatrixProduct'), norms: count('RmsNormWeightGradient') };
}

for (const precision of ['float32', 'mixed'] as const) {
  test(`an adapter is trained without the gradients of frozen weights, ${precision}`, async () => {
    const { network, params } = createModel(llama, { seed: 1 });
    const model = network as LanguageModel;
    const whole = await productsOf(model, params.named(), precision);
    const lora = new Lora(params, { rank: 2, targets: /attn\.(qProj|vProj)$/, seed: 1 });
    const adapted = await productsOf(new AdaptedModel(model, lora), lora.params.named(), precision);
    // Of each of seven maps in two blocks two products, and the gradient of the head's weight.
    expect(whole.backwards).toBe(2 * 7 * 2 + 1);
    // Of a frozen map the gradient of its input, which q, k and v of the first block do not need: nothing before them is trained.
    const frozen = 7 + 4;
    // Of A and B the gradients of weight and input; in the first block not that of what A reads.
    const ofAdapters = 2 * 4 + 2 * 3;
    expect(adapted.backwards).toBe(frozen + ofAdapters);
    expect(whole.norms).toBe(5);
    expect(adapted.norms).toBe(0);
    lora.params.dispose();
    params.dispose();
  });
}
