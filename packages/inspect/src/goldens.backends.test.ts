import { registerKernels } from '@headwise/kernels';
import { checkpointSource, createModel, gpt2, type ModelFamily } from '@headwise/models';
import { readSafetensors } from '@headwise/safetensors';
import { describeBackends, expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import golden from './goldens/gpt2.json' with { type: 'json' };
import { attentionMaps, attentionRollout, capture, logitLens } from './index.js';

const { folder, ids, shape, hiddenStates, attentions, lens, rollout } = golden.cases[0]!;
const [batch, length] = shape as [number, number];
const decoded = (base64: string) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

/** The best of some logits with their probabilities, in float64. */
function softmaxOf(logits: readonly number[]): number[] {
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

describeBackends("inside Hugging Face's tiny GPT-2", () => {
  let model: ReturnType<typeof createModel>;
  let input: tf.Tensor;
  beforeAll(() => {
    if (tf.getBackend() === 'webgpu') registerKernels();
    const config = JSON.parse(new TextDecoder().decode(decoded(folder['config.json'])));
    const file = readSafetensors(decoded(folder['model.safetensors']));
    model = createModel(config, { source: checkpointSource(gpt2 as ModelFamily, file, 'golden') });
    input = tf.tensor2d(ids, [batch, length], 'int32');
  });
  afterAll(() => {
    model.params.dispose();
    input.dispose();
  });

  test('hidden states are those of output_hidden_states', async () => {
    const names = ['embedded', 'blocks.0.resid', 'hidden'];
    const captured = capture(model.network, input, names);
    for (const [i, name] of names.entries()) {
      await expectClose(captured.get(name), hiddenStates[i]!, { ratio: 1e-5 });
    }
    captured.dispose();
  });

  test('attention maps are those of output_attentions', async () => {
    const captured = capture(model.network, input, 'blocks.*.attn.pattern');
    for (const [i, expected] of attentions.entries()) {
      await expectClose(captured.get(`blocks.${i}.attn.pattern`), expected, { ratio: 1e-5 });
    }
    captured.dispose();
    for (let sequence = 0; sequence < batch; sequence++) {
      const maps = await attentionMaps(model.network, input, { sequence });
      const size = attentions[0]!.length / batch;
      for (const [i, { values }] of maps.entries()) {
        const expected = attentions[i]!.slice(sequence * size, (sequence + 1) * size);
        await expectClose(values, expected, { ratio: 1e-5 });
      }
    }
  });

  test('rollout is the product of the averaged maps with their residual paths', async () => {
    for (let sequence = 0; sequence < batch; sequence++) {
      const maps = await attentionMaps(model.network, input, { sequence });
      const size = length * length;
      const expected = rollout.slice(sequence * size, (sequence + 1) * size);
      await expectClose(attentionRollout(maps), expected, { ratio: 1e-5 });
    }
  });

  test('the logit lens is the last norm and the head applied to every hidden state', async () => {
    const vocabSize = model.network.vocabSize;
    const layers = await logitLens(model.network, input, { top: vocabSize, sequence: 1 });
    expect(layers.map(({ name }) => name)).toEqual([
      'embedded',
      'blocks.0.resid',
      'blocks.1.resid',
    ]);
    for (const [l, logits] of lens.entries()) {
      for (const [t, { ids, probabilities }] of layers[l]!.tokens.entries()) {
        const start = (length + t) * vocabSize;
        const expected = softmaxOf(logits.slice(start, start + vocabSize));
        await expectClose(
          probabilities,
          ids.map((id) => expected[id]!),
          { ratio: 1e-5 },
        );
        expect(probabilities).toEqual([...probabilities].sort((a, b) => b - a));
      }
    }
    const captured = capture(model.network, input, []);
    const own = tf.softmax(captured.output.slice([1], [1]));
    const best = await tf.topk(own, 1).values.data();
    const last = layers.at(-1)!.tokens.map(({ probabilities }) => probabilities[0]!);
    await expectClose(last, best, { ratio: 1e-5 });
    captured.dispose();
  });
});
