import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LanguageModel } from '@headwise/core';
import { loadModel } from '@headwise/models/node';
import { describeBackends, expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import golden from './goldens/gpt2.json' with { type: 'json' };
import { attentionMaps, attentionRollout, capture, logitLens } from './index.js';

const { folder, ids, shape, hiddenStates, attentions, lens, rollout } = golden.cases[0]!;
const [batch, length] = shape as [number, number];

/** The best of some logits with their probabilities, in float64. */
function softmaxOf(logits: readonly number[]): number[] {
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

describeBackends("inside Hugging Face's tiny GPT-2", () => {
  let network: LanguageModel;
  let input: tf.Tensor;
  beforeAll(async () => {
    const path = mkdtempSync(join(tmpdir(), 'headwise-inspect-'));
    for (const [name, base64] of Object.entries(folder)) {
      writeFileSync(join(path, name), Buffer.from(base64, 'base64'));
    }
    network = (await loadModel(path)).network as LanguageModel;
    input = tf.tensor2d(ids, [batch, length], 'int32');
  });
  afterAll(() => {
    tf.disposeVariables();
    input.dispose();
  });

  test('hidden states are those of output_hidden_states', async () => {
    const names = ['embedded', 'blocks.0.resid', 'final'];
    const captured = capture(network, input, names);
    for (const [i, name] of names.entries()) {
      await expectClose(captured.get(name), hiddenStates[i]!, { ratio: 1e-5 });
    }
    captured.dispose();
  });

  test('attention maps are those of output_attentions', async () => {
    const captured = capture(network, input, 'blocks.*.attn.pattern');
    for (const [i, expected] of attentions.entries()) {
      await expectClose(captured.get(`blocks.${i}.attn.pattern`), expected, { ratio: 1e-5 });
    }
    captured.dispose();
    for (let sequence = 0; sequence < batch; sequence++) {
      const maps = await attentionMaps(network, input, { sequence });
      const size = attentions[0]!.length / batch;
      for (const [i, { values }] of maps.entries()) {
        const expected = attentions[i]!.slice(sequence * size, (sequence + 1) * size);
        await expectClose(values, expected, { ratio: 1e-5 });
      }
    }
  });

  test('rollout is the product of the averaged maps with their residual paths', async () => {
    for (let sequence = 0; sequence < batch; sequence++) {
      const maps = await attentionMaps(network, input, { sequence });
      const size = length * length;
      const expected = rollout.slice(sequence * size, (sequence + 1) * size);
      await expectClose(attentionRollout(maps), expected, { ratio: 1e-5 });
    }
  });

  test('the logit lens is the last norm and the head applied to every hidden state', async () => {
    const vocabSize = network.vocabSize;
    const layers = await logitLens(network, input, { top: vocabSize, sequence: 1 });
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
  });
});
