import { AdaptedModel, createModel, Lora } from '@headwise/models';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { AdamW, causalLanguageModel, constantRate, train } from '../index.js';

test.each([false, true])(
  'an adapter is trained while another answers over the same weights; DoRA %s',
  async (dora) => {
    const sizes = { vocab_size: 12, n_positions: 8, n_embd: 16, n_layer: 1, n_head: 2 };
    const model = createModel({ model_type: 'gpt2', ...sizes }, { seed: 1, dtype: 'int8' });
    const [trained, other] = [1, 2].map(
      (seed) => new Lora(model.params, { rank: 2, targets: /attn|mlp/, seed, dora }),
    ) as [Lora, Lora];
    for (const variable of Object.values(other.params.named())) {
      tf.tidy(() => variable.assign(variable.add(0.05)));
    }
    const answering = new AdaptedModel(model.network, other);
    const ids = tf.tensor2d([[1, 2, 3]], [1, 3], 'int32');
    const answer = () => answering.forward(ids).data();
    const before = await answer();
    const params = trained.params.named();
    const run = train({
      objective: causalLanguageModel(new AdaptedModel(model.network, trained)),
      params,
      optimizer: new AdamW(params),
      schedule: constantRate(0.02),
      batches: {
        at: () => ({
          inputs: Int32Array.of(1, 2, 3, 4),
          targets: Int32Array.of(2, 3, 4, 5),
          shape: [1, 4] as const,
        }),
      },
      steps: 12,
    });
    const losses: number[] = [];
    for await (const { loss } of run) {
      losses.push(loss);
      expect(await answer()).toEqual(before);
    }
    expect(losses.at(-1)).toBeLessThan(losses[0]! - 0.1);
    answering.adapters = trained;
    expect(await answer()).not.toEqual(before);
    for (const { params } of [trained, other, model]) params.dispose();
  },
);
