import type { LanguageModel } from '@headwise/core';
import { createModel } from '@headwise/models';
import { afterAll, describe, expect, test } from 'vitest';
import { choices } from './choices.js';
import { generate } from './generate.js';
import { generateBatch } from './generate-batch.js';
import type { GenerateOptions } from './options.js';
import { processScores } from './process-scores.js';
import { beamSearch } from './search/beam-search.js';
import { contrastiveSearch } from './search/contrastive-search.js';
import { stream } from './stream.js';

const sizes = { vocab_size: 45, n_positions: 16, n_embd: 12, n_layer: 1, n_head: 3 };
const model = createModel({ model_type: 'gpt2', ...sizes, initializer_range: 0.5 }, { seed: 4 });
afterAll(() => model.params.dispose());
const { network } = model;

async function collect(options: GenerateOptions, from: LanguageModel = network) {
  const ids: number[] = [];
  const tokens = generate(from, [3, 1], options);
  for (;;) {
    const { value, done } = await tokens.next();
    if (done) return { ids, reason: value };
    ids.push(value);
  }
}

const answers = [[5, 6, 40], [5, 7], [44], [5, 6, 40, 41]];

describe('choices', () => {
  test('every way to generate gives one of the answers', async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 12; seed++) {
      const options = { constraint: choices(answers), stopIds: [0], seed, temperature: 2 };
      const { ids, reason } = await collect(options);
      expect(answers).toContainEqual(ids);
      expect(reason).toBe('stop');
      seen.add(ids.join());
      const streamed: number[] = [];
      for await (const { id } of stream(network, [3, 1], options)) streamed.push(id);
      expect(streamed).toEqual(ids);
      const { sequences } = await generateBatch(network, [[3, 1], [9], [2, 2, 2]], options);
      expect(sequences[0]!.tokens.map(({ id }) => id)).toEqual(ids);
      for (const { tokens } of sequences)
        expect(answers).toContainEqual(tokens.map(({ id }) => id));
    }
    expect(seen.size).toBeGreaterThan(2);
  });

  test('an output ends where nothing may follow it, without end tokens too', async () => {
    const { ids, reason } = await collect({ constraint: choices([[5, 6, 7]]) });
    expect([ids, reason]).toEqual([[5, 6, 7], 'stop']);
    // [5] is complete, but without an end token the longer answer is gone on with.
    expect((await collect({ constraint: choices([[5], [5, 6]]) })).ids).toEqual([5, 6]);
  });

  test('beams are answers, each kept apart', async () => {
    const options = { beams: 3, returned: 3, stopIds: [0], constraint: choices(answers) };
    const [found] = await beamSearch(network, [[3, 1]], options);
    expect(found!.length).toBe(3);
    expect(new Set(found!.map(({ ids }) => ids.join())).size).toBe(3);
    for (const { ids } of found!) expect(answers).toContainEqual(ids);
    await expect(beamSearch(network, [[3, 1]], { ...options, stopIds: [] })).rejects.toThrow(
      'constraint is given for a beam search without stopIds',
    );
  });

  test('only answers that fit into the tokens that are left come', async () => {
    for (let seed = 0; seed < 5; seed++) {
      const options = { constraint: choices(answers), maxNewTokens: 2, seed, stopIds: [0] };
      expect([[5, 7], [44]]).toContainEqual((await collect(options)).ids);
    }
    await expect(collect({ constraint: choices([[1, 2, 3]]), maxNewTokens: 2 })).rejects.toThrow(
      'constraint: its shortest output has 3 tokens; maxNewTokens is 2',
    );
    // In a batch the context ends an output, which is then complete: 3 tokens of 16 are left, the last one without a place.
    const long = choices([
      [7, 7, 7, 7, 7],
      [9, 9],
    ]);
    const { sequences } = await generateBatch(network, [Array(13).fill(2)], { constraint: long });
    expect(sequences[0]!.tokens.map(({ id }) => id)).toEqual([9, 9]);
  });

  test('answers that cannot be are refused', () => {
    expect(() => choices([])).toThrow('choices: no answers; expected at least one');
    expect(() => choices([[1], []])).toThrow('choices: answer 1 has no tokens');
    expect(() => choices([[-1]])).toThrow('choices: answer 0 has id -1; expected a whole number');
  });
});

describe('options beside a constraint', () => {
  const constraint = choices([
    [5, 6],
    [7, 8],
  ]);
  const cases: [string, GenerateOptions, string][] = [
    [
      'suppressed ids',
      { suppressIds: [5, 7] },
      'constraint: none of the 45 tokens may come after 0',
    ],
    [
      'bad words',
      { badWords: [[5, 6]], suppressIds: [7] },
      'none of the 45 tokens may come after 1',
    ],
    [
      'a least number',
      { minNewTokens: 4 },
      "minNewTokens is 4, but the constraint's output is complete after 2 tokens",
    ],
    [
      'ids beyond the vocabulary',
      { constraint: choices([[99]]) },
      'constraint: none of the 45 tokens',
    ],
  ];
  for (const [name, options, message] of cases) {
    test(`${name} that leave nothing are named`, async () => {
      await expect(collect({ constraint, ...options })).rejects.toThrow(message);
    });
  }

  test('forced ids are those that it allows', async () => {
    const from = async (options: GenerateOptions) => {
      const ids: number[] = [];
      for await (const id of generate(network, [3], { constraint, ...options })) ids.push(id);
      return ids;
    };
    expect(await from({ forcedFirstId: [9, 7] })).toEqual([7, 8]);
    await expect(from({ forcedFirstId: 9 })).rejects.toThrow(
      'constraint: it allows none of the forced ids 9 after 0 new tokens',
    );
    // The output leaves room for the forced end token.
    const open = choices([[5], [5, 6], [5, 6, 7]]);
    const forced = { constraint: open, maxNewTokens: 3, forcedLastId: 0, stopIds: [0] };
    expect((await from(forced)).length).toBeLessThan(3);
  });

  test('an end token that is part of an answer ends nothing before it', async () => {
    await expect(collect({ constraint: choices([[5, 6, 7]]), stopIds: [6] })).rejects.toThrow(
      'constraint: none of the 45 tokens may come after 1 new ones',
    );
  });

  test('scores are −∞ for what it does not allow', () => {
    const scores = Array.from({ length: 45 }, (_, id) => id / 10);
    const kept = (sequence: number[]) =>
      [...processScores(scores, sequence, 1, { constraint, stopIds: [0] }).entries()]
        .filter(([, score]) => score > Number.NEGATIVE_INFINITY)
        .map(([id]) => id);
    expect(kept([1])).toEqual([5, 7]);
    expect(kept([1, 7])).toEqual([8]);
    expect(kept([1, 7, 8])).toEqual([0]);
  });

  test('contrastive search refuses it by name', async () => {
    await expect(
      contrastiveSearch(network, [[1]], { candidates: 2, penalty: 0.5, constraint }),
    ).rejects.toThrow('constraint is given for a contrastive search, which does not take it');
  });
});
