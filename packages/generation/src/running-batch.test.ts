import { createModel } from '@headwise/models';
import * as tf from '@tensorflow/tfjs';
import { afterAll, describe, expect, test } from 'vitest';
import type { Generator } from './batch-scores.js';
import { generate } from './generate.js';
import { generateBatch } from './generate-batch.js';
import type { GenerateOptions } from './options.js';
import { type BatchResult, RunningBatch } from './running-batch.js';
import type { RunningSequence } from './running-sequence.js';
import { beamSearch } from './search/beam-search.js';

const sizes = { vocab_size: 29, n_positions: 24, n_embd: 12, n_layer: 2, n_head: 3 };
const { network, params } = createModel(
  { model_type: 'gpt2', ...sizes, initializer_range: 0.5 },
  { seed: 4 },
);
const encoded = createModel(
  {
    model_type: 't5',
    vocab_size: 29,
    d_model: 12,
    d_kv: 4,
    d_ff: 20,
    num_layers: 1,
    num_heads: 3,
    relative_attention_num_buckets: 8,
    decoder_start_token_id: 0,
  },
  { seed: 5 },
);
afterAll(() => {
  params.dispose();
  encoded.params.dispose();
});

const prompts = [[3, 1, 20, 4, 9], [7], [3, 1, 20], [5, 5]];
const each: GenerateOptions[] = [
  { maxNewTokens: 8, seed: 1 },
  { maxNewTokens: 5, temperature: 0 },
  { maxNewTokens: 9, topK: 5, repetitionPenalty: 1.4, seed: 3 },
  { maxNewTokens: 7, seed: 4, noRepeatNgramSize: 1, guidanceScale: 1.6, negativePrompt: [2, 8, 1] },
];

async function alone(prompt: number[], options: GenerateOptions) {
  const ids: number[] = [];
  for await (const id of generate(network, prompt, options)) ids.push(id);
  return ids;
}
const idsOf = ({ tokens }: RunningSequence) => tokens.map(({ id }) => id);

/** Steps until the batch is empty; one sequence joins with each of the first steps. */
async function runStaggered(of: Generator, options: readonly GenerateOptions[]) {
  const batch = new RunningBatch(of);
  const sequences: RunningSequence[] = [];
  const results: BatchResult[] = [];
  for (let step = 0; batch.size > 0 || step < prompts.length; step++) {
    if (step < prompts.length) sequences.push(batch.add(prompts[step]!, options[step]));
    results.push(...(await batch.step()));
  }
  batch.dispose();
  return { sequences, results };
}

describe('RunningBatch', () => {
  test('sequences that join between steps come out as alone, token by token', async () => {
    const before = tf.memory().numTensors;
    const { sequences, results } = await runStaggered(network, each);
    for (const [n, sequence] of sequences.entries()) {
      const expected = await alone(prompts[n]!, each[n]!);
      expect(idsOf(sequence), `prompt ${n}`).toEqual(expected);
      const own = results.filter((result) => result.sequence === sequence);
      expect(own.map(({ token }) => token!.id)).toEqual(expected);
      expect(own.map(({ reason }) => reason)).toEqual([
        ...expected.slice(1).map(() => undefined),
        'length',
      ]);
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  test('joins sequences of an encoder-decoder, whose inputs differ in length', async () => {
    const before = tf.memory().numTensors;
    const options = each.map(({ guidanceScale, negativePrompt, ...own }) => own);
    const { sequences } = await runStaggered(encoded.network as Generator, options);
    for (const [n, sequence] of sequences.entries()) {
      const [one] = (await generateBatch(encoded.network as Generator, [prompts[n]!], options[n]))
        .sequences;
      expect(idsOf(sequence), `prompt ${n}`).toEqual(idsOf(one!));
    }
    expect(new Set(sequences.map((one) => idsOf(one).join())).size).toBe(prompts.length);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('a removed sequence frees its place at once, and the others go on', async () => {
    const batch = new RunningBatch(network);
    const [first, second, third] = prompts.map((prompt, n) => batch.add(prompt, each[n]));
    await batch.step();
    const held = tf.memory().numBytes;
    batch.remove(first!);
    expect(batch.size).toBe(3);
    expect(tf.memory().numBytes).toBeLessThan(held);
    const step = batch.step();
    batch.remove(second!);
    expect((await step).map(({ sequence }) => sequence)).not.toContain(second);
    expect(batch.size).toBe(2);
    while (batch.size > 0) await batch.step();
    expect(idsOf(third!)).toEqual(await alone(prompts[2]!, each[2]!));
    expect([first!.reason, third!.reason]).toEqual([undefined, 'length']);
    batch.dispose();
  });

  test('an error ends its own sequence only', async () => {
    const batch = new RunningBatch(network);
    const thrown = new Error('not today');
    const fails = (_: Float32Array, { length }: readonly number[]) => {
      if (length > 3) throw thrown;
    };
    const poisons = (scores: Float32Array, { length }: readonly number[]) => {
      if (length > 2) scores[7] = Number.NaN;
    };
    const [throws, nan, well] = [
      batch.add([1, 2], { seed: 1, processors: [{ host: fails }] }),
      batch.add([1, 2], { seed: 1, processors: [{ host: poisons }] }),
      batch.add([1, 2], { seed: 1, maxNewTokens: 6 }),
    ];
    const results: BatchResult[] = [];
    while (batch.size > 0) results.push(...(await batch.step()));
    expect([throws.reason, throws.error, idsOf(throws).length]).toEqual(['error', thrown, 2]);
    expect([nan.reason, idsOf(nan).length]).toEqual(['error', 1]);
    expect(String(nan.error)).toContain('the score of token 7 in row 0 is NaN or +∞');
    expect(idsOf(well)).toEqual(await alone([1, 2], { seed: 1, maxNewTokens: 6 }));
    const failed = results.find(({ error }) => error === thrown)!;
    expect([failed.sequence, failed.reason, failed.token]).toEqual([throws, 'error', undefined]);
    batch.dispose();
  });

  test.each(['host', 'device'])('a %s processor that throws leaves no tensor', async (kind) => {
    const fails = () => {
      throw new Error('not today');
    };
    const processors = [{ host: () => {} }, { [kind]: fails } as unknown as { host: () => void }];
    const before = tf.memory().numTensors;
    const options = { processors, maxNewTokens: 3 };
    await expect(generate(network, [1, 2], options).next()).rejects.toThrow('not today');
    await expect(beamSearch(network, [[1, 2]], { ...options, beams: 2 })).rejects.toThrow();
    const { sequences } = await generateBatch(network, [[1, 2], [3]], options);
    expect(sequences.map(({ reason }) => reason)).toEqual(['error', 'error']);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('tells of stop ids, of no room for a token, and of a signal', async () => {
    const [, second] = await alone([3, 1], { seed: 1 });
    const batch = new RunningBatch(network);
    const aborting = new AbortController();
    const stops = batch.add([3, 1], { seed: 1, stopIds: [second!] });
    const none = batch.add([4], { maxNewTokens: 0 });
    const aborted = batch.add([4], { signal: aborting.signal });
    expect((await batch.step()).map(({ token, reason }) => [!!token, reason])).toEqual([
      [true, undefined],
      [false, 'length'],
      [true, undefined],
    ]);
    aborting.abort();
    expect(await batch.step()).toEqual([
      { sequence: stops, reason: 'stop', stopToken: expect.objectContaining({ id: second }) },
      { sequence: aborted, reason: 'signal' },
    ]);
    expect([batch.size, none.tokens.length, await batch.step()]).toEqual([0, 0, []]);
    batch.dispose();
  });

  test('refuses what it cannot use', async () => {
    const batch = new RunningBatch(network);
    expect(() => batch.add([])).toThrow('the prompt is empty');
    expect(() => batch.add([1], { storage: 'f16' })).toThrow(
      "storage is 'f16' for a sequence; expected 'f32', that of its batch",
    );
    batch.add([1]);
    const step = batch.step();
    await expect(batch.step()).rejects.toThrow('step was called during another step');
    batch.dispose();
    await step;
    await expect(batch.step()).rejects.toThrow('RunningBatch: step after it was disposed');
    expect(() => batch.add([1])).toThrow('RunningBatch: add after it was disposed');
  });
});
