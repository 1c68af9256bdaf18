import { createModel } from '@headwise/models';
import * as tf from '@tensorflow/tfjs';
import { afterAll, describe, expect, test } from 'vitest';
import { generate } from './generate.js';
import { generateBatch } from './generate-batch.js';
import type { GenerateOptions } from './options.js';
import { stream } from './stream.js';

const sizes = { vocab_size: 29, n_positions: 24, n_embd: 12, n_layer: 2, n_head: 3 };
const { network, params } = createModel(
  { model_type: 'gpt2', ...sizes, initializer_range: 0.5 },
  { seed: 4 },
);
afterAll(() => params.dispose());

const prompts = [[3, 1, 20, 4, 9], [7], [3, 1, 20], [5, 5]];
const each: GenerateOptions[] = [
  { maxNewTokens: 8, seed: 1 },
  { maxNewTokens: 3, temperature: 0 },
  { maxNewTokens: 9, topK: 5, repetitionPenalty: 1.4, seed: 3 },
  { maxNewTokens: 9, seed: 4, noRepeatNgramSize: 1, guidanceScale: 1.6, negativePrompt: [2, 8, 1] },
];

async function alone(prompt: number[], options: GenerateOptions) {
  const ids: number[] = [];
  for await (const id of generate(network, prompt, options)) ids.push(id);
  return ids;
}
const idsOf = ({ tokens }: { tokens: readonly { id: number }[] }) => tokens.map(({ id }) => id);

describe('generateBatch', () => {
  test('prompts of any lengths, each with its own options, come out as alone', async () => {
    const before = tf.memory().numTensors;
    const { sequences, timing } = await generateBatch(network, prompts, each);
    for (const [n, sequence] of sequences.entries()) {
      expect(idsOf(sequence), `prompt ${n}`).toEqual(await alone(prompts[n]!, each[n]!));
      expect(sequence.reason).toBe('length');
    }
    expect(timing.prefill).toBeGreaterThan(0);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('a stop id ends one sequence and not the others, and is told', async () => {
    const whole = await Promise.all(prompts.map((prompt, n) => alone(prompt, each[n]!)));
    const stop = whole[2]![4]!;
    const { sequences } = await generateBatch(
      network,
      prompts,
      each.map((options, n) => (n === 2 ? { ...options, stopIds: [stop] } : options)),
    );
    const cut = whole[2]!.slice(0, whole[2]!.indexOf(stop));
    expect(sequences.map(idsOf)).toEqual([whole[0], whole[1], cut, whole[3]]);
    expect(sequences.map(({ reason, stopId }) => [reason, stopId])).toEqual([
      ['length', undefined],
      ['length', undefined],
      ['stop', stop],
      ['length', undefined],
    ]);
  });

  test('scores, log-probabilities and alternatives are those of one pass over the sequence', async () => {
    const options = { maxNewTokens: 5, topK: 4, temperature: 0.7, seed: 2 };
    const { sequences } = await generateBatch(network, prompts, options, {
      alternatives: 3,
      scores: true,
    });
    for (const [n, { tokens, scores }] of sequences.entries()) {
      const ids = [...prompts[n]!, ...tokens.map(({ id }) => id)];
      const logs = tf.tidy(() =>
        tf.logSoftmax(network.forward(tf.tensor2d([ids], [1, ids.length], 'int32'))).arraySync(),
      ) as number[][][];
      for (const [i, token] of tokens.entries()) {
        const row = logs[0]![prompts[n]!.length - 1 + i]!;
        expect(token.logProbability).toBeCloseTo(row[token.id]!, 4);
        const best = [...row.keys()].sort((a, b) => row[b]! - row[a]!).slice(0, 4);
        expect(token.alternatives.map(({ id }) => id)).toEqual(best.slice(0, 3));
        expect(token.alternatives[0]!.logProbability).toBeCloseTo(row[best[0]!]!, 4);
        const kept = [...scores[i]!.keys()].filter((id) => scores[i]![id]! > -Infinity);
        expect(kept.sort()).toEqual([...best].sort());
        expect(scores[i]![best[0]!]! - scores[i]![best[1]!]!).toBeCloseTo(
          (row[best[0]!]! - row[best[1]!]!) / 0.7,
          3,
        );
      }
    }
  });

  test('ends where the context is full, at a signal, and after a time', async () => {
    const [full] = (await generateBatch(network, [prompts[0]!], { maxNewTokens: 99 })).sequences;
    expect([full!.tokens.length, full!.reason]).toEqual([20, 'length']);
    const [late] = (await generateBatch(network, [[1]], { maxTime: 0 })).sequences;
    expect([late!.tokens.length, late!.reason]).toEqual([1, 'time']);
    const signal = AbortSignal.abort();
    const [aborted] = (await generateBatch(network, [[1]], { signal })).sequences;
    expect([aborted!.tokens.length, aborted!.reason]).toEqual([0, 'signal']);
  });

  test('refuses what it cannot use', async () => {
    await expect(generateBatch(network, [[1], []])).rejects.toThrow('the prompt is empty');
    await expect(generateBatch(network, [[1]], [])).rejects.toThrow('0 options for 1 prompts');
    await expect(generateBatch(network, [[1]], {}, { alternatives: -1 })).rejects.toThrow(
      'alternatives is -1; expected a whole number of at least 0',
    );
    await expect(generateBatch(network, [[1]], { maxTime: -1 })).rejects.toThrow('maxTime is -1');
  });
});

test('a stream gives the tokens of generate with their probabilities, and why it ended', async () => {
  for (const options of each) {
    const ids: number[] = [];
    const tokens = stream(network, [3, 1], { ...options, alternatives: 2 });
    let next = await tokens.next();
    for (; !next.done; next = await tokens.next()) {
      ids.push(next.value.id);
      expect(next.value.alternatives).toHaveLength(2);
      expect(next.value.logProbability).toBeLessThanOrEqual(0);
    }
    expect(next.value).toBe('length');
    expect(ids).toEqual(await alone([3, 1], options));
  }
});
