import { type EncoderDecoderModel, Random } from '@headwise/core';
import { createModel } from '@headwise/models';
import { describeBackends, expectClose, expectNoLeak } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { lossAndGradients, sequenceToSequence } from '../index.js';

/** A small model, whose own predictions are not the targets. */
function small() {
  const { network, params } = createModel(
    {
      model_type: 'bart',
      vocab_size: 23,
      d_model: 8,
      encoder_layers: 1,
      decoder_layers: 1,
      encoder_attention_heads: 2,
      decoder_attention_heads: 2,
      encoder_ffn_dim: 16,
      decoder_ffn_dim: 16,
      max_position_embeddings: 8,
      init_std: 0.5,
      dropout: 0,
      pad_token_id: 1,
      decoder_start_token_id: 2,
    },
    { seed: 1 },
  );
  return { network: network as EncoderDecoderModel, params };
}

const batch = {
  sources: Int32Array.of(5, 6, 7, 8, 9, 10),
  targets: Int32Array.of(11, 12, 13, 14, 15, 16, 17, -100),
  shape: [2, 3, 4] as const,
};
const training = (seed = 1) => ({ training: true, random: new Random(seed) });

describeBackends('scheduled sampling', () => {
  test('with a share of 1 the decoder reads its own predictions of the first pass', async () => {
    const { network, params } = small();
    const objective = sequenceToSequence(network);
    const named = params.named();
    const made = lossAndGradients(named, () =>
      objective.loss({ ...batch, sampled: 1 }, training()),
    );
    // Teacher forcing gives what is predicted at each place.
    const encoded = network.encode(tf.tensor2d(batch.sources, [2, 3], 'int32'));
    const right = tf.tensor2d([2, 11, 12, 13, 2, 15, 16, 17], [2, 4], 'int32');
    const found = await network.decode(right, encoded).argMax<tf.Tensor>(-1).data();
    const read = [2, found[0]!, found[1]!, found[2]!, 2, found[4]!, found[5]!, found[6]!];
    expect(read).not.toEqual(Array.from(await right.data()));
    const own = tf.tensor2d(read, [2, 4], 'int32');
    const expected = lossAndGradients(named, () => {
      const again = network.encode(tf.tensor2d(batch.sources, [2, 3], 'int32'));
      const scores = network.decode(own, again).logSoftmax().reshape([8, -1]);
      // −1/7 at the seven targets.
      const weights = new Float32Array(8 * 23);
      for (const [i, target] of batch.targets.entries())
        if (target >= 0) weights[i * 23 + target] = -1 / 7;
      return scores.mul(tf.tensor2d(weights, [8, 23])).sum() as tf.Scalar;
    });
    await expectClose(made.loss, expected.loss, { ratio: 2e-5 });
    for (const [path, gradient] of Object.entries(made.gradients)) {
      await expectClose(gradient, expected.gradients[path]!, { ratio: 1e-4, floor: 1e-7 });
    }
    params.dispose();
  });

  test('a share of 0, and every share where nothing is trained, is teacher forcing', async () => {
    const { network, params } = small();
    const objective = sequenceToSequence(network);
    const forced = objective.loss(batch);
    await expectClose(objective.loss({ ...batch, sampled: 0 }, training()), forced);
    await expectClose(objective.loss({ ...batch, sampled: 1 }), forced);
    const half = (seed: number) => objective.loss({ ...batch, sampled: 0.5 }, training(seed));
    expect(await half(3).data()).toEqual(await half(3).data());
    await expectNoLeak(() => half(3).dispose());
    params.dispose();
  });
});

test('a share that is not a probability, and one without a source of randomness, are refused', () => {
  const { network, params } = small();
  const objective = sequenceToSequence(network);
  expect(() => objective.loss({ ...batch, sampled: 1.5 }, training())).toThrow(
    'sequence-to-sequence: sampled is 1.5; expected a number from 0 to 1',
  );
  expect(() => objective.loss({ ...batch, sampled: 0.5 }, { training: true })).toThrow(
    'sequence-to-sequence: a batch has sampled inputs; expected ctx.random to draw them',
  );
  params.dispose();
});
