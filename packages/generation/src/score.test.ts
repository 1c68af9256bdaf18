import { fileURLToPath } from 'node:url';
import type { LanguageModel } from '@headwise/core';
import { createModel, languageModel, loadModel } from '@headwise/models';
import { folderFiles } from '@headwise/models/node';
import * as tf from '@tensorflow/tfjs';
import { afterAll, describe, expect, test } from 'vitest';
import type { Generator } from './batch-scores.js';
import golden from './goldens/scores.json' with { type: 'json' };
import { perplexity } from './perplexity.js';
import { score, scoreBatch } from './score.js';
import { scoresOfPlaces } from './score-rows.js';

const goldens = fileURLToPath(new URL('../../parity/goldens', import.meta.url));

for (const { model, scores, text, perplexities } of golden.cases) {
  describe(`scores of ${model} are those of transformers in float64`, async () => {
    const { network, params } = await loadModel(folderFiles(`${goldens}/${model}`));
    afterAll(() => params.dispose());

    test('of a batch of pairs of any lengths, and of each alone', async () => {
      const before = tf.memory().numTensors;
      const batch = await scoreBatch(network as Generator, scores, { alternatives: 2 });
      for (const [n, { prompt, completion, ...expected }] of scores.entries()) {
        const options = { alternatives: 2 };
        for (const scored of [
          batch[n]!,
          await score(network as Generator, prompt, completion, options),
        ]) {
          expect(scored.tokens.map(({ id }) => id)).toEqual(completion);
          const logs = expected.logProbabilities;
          scored.tokens.forEach(({ logProbability, isGreedy, alternatives }, i) => {
            expect(Math.abs(logProbability - logs[i]!)).toBeLessThan(1e-5);
            expect(isGreedy).toBe(expected.greedy[i] === completion[i]);
            expect(alternatives.map(({ id }) => id)).toEqual(expected.alternatives[i]);
          });
          expect(scored.logProbability).toBeCloseTo(
            logs.reduce((sum, log) => sum + log, 0),
            4,
          );
          expect(scored.isGreedy).toBe(completion.every((id, i) => id === expected.greedy[i]));
        }
      }
      expect(tf.memory().numTensors).toBe(before);
    });

    for (const { maxLength, stride, tokens, ...expected } of perplexities) {
      test(`perplexity in windows of ${maxLength} with a stride of ${stride}`, async () => {
        const before = tf.memory().numTensors;
        const found = await perplexity(network as LanguageModel, text!, { maxLength, stride });
        expect(found.tokens).toBe(tokens);
        expect(found.perplexity / expected.perplexity).toBeCloseTo(1, 5);
        // The documentation's example weights the mean of each window one token short.
        if (stride > 1) expect(found.perplexity / expected.documented).toBeCloseTo(1, 1);
        expect(tf.memory().numTensors).toBe(before);
      });
    }
  });
}

describe('score', () => {
  const sizes = { vocab_size: 50_000, n_positions: 600, n_embd: 8, n_layer: 1, n_head: 2 };
  const { network, params } = createModel({ model_type: 'gpt2', ...sizes }, { seed: 3 });
  afterAll(() => params.dispose());

  test('holds the logits of some places of the completion, not those of the prompt or of all', () => {
    const inputs = Array.from({ length: 500 }, (_, i) => i * 7);
    const rows: number[] = [];
    const seen: number[] = [];
    for (const { scores, places } of scoresOfPlaces(network, [
      { prompt: inputs, inputs, from: 400 },
      { prompt: inputs, inputs: inputs.slice(0, 30), from: 10 },
    ])) {
      rows.push(scores.shape[0]);
      seen.push(...places.map(({ place }) => place));
    }
    expect(Math.max(...rows) * 50_000 * 4).toBeLessThanOrEqual(2 ** 23);
    expect(seen).toHaveLength(120);
    expect(Math.min(...seen.slice(0, 100))).toBe(400);
  });

  test('a text is the completion of its first token, and an empty completion is certain', async () => {
    const whole = await score(network, [5], [6, 7, 8]);
    const rest = await score(network, [5, 6], [7, 8]);
    expect(rest.tokens.map(({ logProbability }) => logProbability)).toEqual(
      whole.tokens.slice(1).map(({ logProbability }) => expect.closeTo(logProbability, 5)),
    );
    expect(await score(network, [5], [])).toEqual({
      tokens: [],
      logProbability: 0,
      isGreedy: true,
    });
  });

  test('a model whose head is not one matrix is scored over a cache', async () => {
    const folder = folderFiles(`${goldens}/transformer-xl-plain`);
    const adaptive = languageModel(await loadModel(folder));
    const prompts = [[3, 1], [4], [9, 8, 7]];
    const pairs = prompts.map((prompt) => ({ prompt, completion: [5, 6, 2] }));
    const before = tf.memory().numTensors;
    for (const [n, { tokens }] of (await scoreBatch(adaptive.network, pairs)).entries()) {
      const ids = [...prompts[n]!, 5, 6];
      const logs = tf.tidy(() =>
        adaptive.network.forward(tf.tensor2d([ids], [1, ids.length], 'int32')).arraySync(),
      ) as number[][][];
      const places = [5, 6, 2].map((id, i) => logs[0]![prompts[n]!.length - 1 + i]![id]!);
      expect(tokens.map(({ logProbability }) => logProbability)).toEqual(
        places.map((log) => expect.closeTo(log, 4)),
      );
    }
    expect(tf.memory().numTensors).toBe(before);
    adaptive.params.dispose();
  });

  test('refuses what it cannot use, and ends at a signal', async () => {
    await expect(score(network, [], [1])).rejects.toThrow('the prompt is empty');
    await expect(score(network, [1], [50_000])).rejects.toThrow('50000');
    await expect(score(network, [1, 2], Array(600).fill(1))).rejects.toThrow(
      "2 tokens and a completion of 600; the model's context holds 600 before the last",
    );
    await expect(score(network, [1], [2], { alternatives: -1 })).rejects.toThrow(
      'alternatives is -1',
    );
    const before = tf.memory().numTensors;
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(score(network, [1], [2], { signal })).rejects.toThrow('enough');
    expect(tf.memory().numTensors).toBe(before);
    for (const [options, message] of [
      [{ stride: 0 }, 'perplexity: stride is 0; expected a whole number from 1 to 600'],
      [{ maxLength: 601 }, 'perplexity: maxLength is 601; expected a whole number from 2 to 600'],
      [{ maxLength: 8, stride: 9 }, 'perplexity: stride is 9; expected a whole number from 1 to 8'],
    ] as const) {
      await expect(perplexity(network, [1, 2, 3], options)).rejects.toThrow(message);
    }
    await expect(perplexity(network, [1])).rejects.toThrow('1 tokens; expected at least 2');
  });
});
