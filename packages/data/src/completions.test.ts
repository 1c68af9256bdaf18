import { expect, test } from 'vitest';
import {
  collatedBatches,
  completions,
  countedTokens,
  judgedCompletions,
  learnSpans,
  mismatched,
  preferencePairs,
} from './index.js';

test('only completions are predicted, prompts and padding are not', () => {
  const batch = completions({ padId: 9 })([
    { prompt: [1, 2], completion: [3, 4, 5] },
    { prompt: [6], completion: [7] },
  ]);
  expect(batch).toEqual({
    inputs: Int32Array.of(1, 2, 3, 4, 6, 9, 9, 9),
    targets: Int32Array.of(-100, 3, 4, 5, 7, -100, -100, -100),
    shape: [2, 4],
  });
  expect(() => completions()([{ prompt: [], completion: [3] }])).toThrow(
    'row 0 of a batch has 0 tokens of prompt and 1 of completion',
  );
  expect(() => completions({ length: 2 })([{ prompt: [1, 2], completion: [3, 4] }])).toThrow(
    'row 0 of a batch has 3 tokens, expected at least 1 and at most 2',
  );
});

test('marked tokens are predicted, and a row without any is refused', () => {
  const { inputs, targets } = countedTokens()([
    { ids: [1, 2, 3, 4, 5, 6], counted: [0, 0, 1, 1, 0, 1] },
  ]);
  expect([...inputs]).toEqual([1, 2, 3, 4, 5]);
  expect([...targets]).toEqual([-100, 3, 4, -100, 6]);
  expect(() => countedTokens()([{ ids: [1, 2], counted: [1, 0] }])).toThrow(
    'row 0 of a batch has no token to predict',
  );
  expect(() => countedTokens()([{ ids: [1, 2], counted: [1] }])).toThrow(
    'row 0 of a batch has 2 tokens and 1 marks',
  );
});

test('tokens that reach into a span are learned', () => {
  const ids = [1, 2, 3, 4, 5];
  const offsets: [number, number][] = [
    [0, 0],
    [0, 3],
    [3, 6],
    [6, 8],
    [8, 9],
  ];
  const learned = learnSpans({ ids, offsets }, [
    [4, 6],
    [8, 9],
  ]);
  expect(learned).toEqual({ ids, counted: [0, 0, 1, 0, 1] });
  expect(() => learnSpans({ ids, offsets }, [[9, 12]])).toThrow('none of 5 tokens lies in a span');
});

test('preferences lie in two halves, with the references of both', () => {
  const batch = preferencePairs()([
    { prompt: [1], chosen: [2], rejected: [3, 4], reference: { chosen: -1, rejected: -2 } },
    { prompt: [5], chosen: [6], rejected: [7], reference: { chosen: -3, rejected: -4 } },
  ]);
  expect(batch.shape).toEqual([4, 2]);
  expect([...batch.inputs]).toEqual([1, 0, 5, 0, 1, 3, 5, 0]);
  expect([...batch.targets]).toEqual([2, -100, 6, -100, 3, 4, 7, -100]);
  expect([...batch.reference]).toEqual([-1, -3, -2, -4]);
});

test('judgements lie above the same prompts with completions of others', () => {
  const examples = [
    { prompt: [1], completion: [2], desirable: true },
    { prompt: [3], completion: [4], desirable: false },
  ];
  const others = mismatched(examples);
  expect(others).toEqual([[4], [2]]);
  const judged = examples.map((example, n) => ({
    ...example,
    other: others[n]!,
    reference: { completion: -1 - n, other: -3 - n },
  }));
  const batches = collatedBatches(judged, judgedCompletions(), { batchSize: 2, seed: 4 });
  const { inputs, targets, reference, desirable, examples: order } = batches.at(0);
  const at = (list: number[]) => order.map((n) => list[n]!);
  expect([...inputs]).toEqual([...at([1, 3]), ...at([1, 3])]);
  expect([...targets]).toEqual([...at([2, 4]), ...at([4, 2])]);
  expect([...reference]).toEqual([...at([-1, -2]), ...at([-3, -4])]);
  expect([...desirable]).toEqual(at([1, 0]));
  expect(() => mismatched(examples.slice(1))).toThrow('there are 1 examples');
});
