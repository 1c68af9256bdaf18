import { expect, test } from 'vitest';
import type { Document } from './document.js';
import { ruleStep, type Step } from './step.js';
import { stepsOf } from './steps.js';
import { addTally, applySteps, batchOf, emptyTally } from './tally.js';

const documents = ['a', 'bb', 'ccc', 'dddd'].map(
  (text): Document => ({ id: text, text, meta: {} }),
);

/** Measures the length of each document but one, and notes how many documents it was given. */
function measuring(seen: number[]): Step {
  return {
    name: 'length',
    batch: 3,
    measure: { name: 'characters', edges: [2, 4] },
    async apply(some) {
      seen.push(some.length);
      return some.map((document) => {
        const { length } = document.text;
        const value = length === 1 ? undefined : length;
        return { outcome: length > 2 ? 'too_long' : document, value };
      });
    },
  };
}

test('a step that takes several documents sees those that the ones before kept, and its values are counted', async () => {
  const seen: number[] = [];
  const not = ruleStep('not', ({ text }) =>
    text === 'ccc' ? 'is_ccc' : { id: text, text: `${text}!`, meta: {} },
  );
  const steps = [not, measuring(seen)];
  expect(batchOf(steps)).toBe(3);
  const tally = emptyTally(steps);
  expect(await applySteps(documents, steps, tally)).toEqual([
    { id: 'a', text: 'a!', meta: {} },
    { step: 'length', rule: 'too_long', value: 3 },
    { step: 'not', rule: 'is_ccc' },
    { step: 'length', rule: 'too_long', value: 5 },
  ]);
  expect(seen).toEqual([3]);
  expect(tally[1]).toMatchObject({
    read: { documents: 3, bytes: 10 },
    kept: { documents: 1, bytes: 2 },
    measured: { name: 'characters', edges: [2, 4], counts: [0, 2, 1] },
  });
  const sum = emptyTally(steps);
  addTally(sum, tally);
  addTally(sum, tally);
  expect(sum[1]!.measured!.counts).toEqual([0, 4, 2]);
});

test('a value at an edge is in the bin above; a document without one is in none', async () => {
  const steps = [measuring([])];
  const tally = emptyTally(steps);
  await applySteps(documents, steps, tally);
  expect(tally[0]!.measured!.counts).toEqual([0, 2, 1]);
});

test('a step without an outcome for each document is refused', async () => {
  const step: Step = { name: 'none', apply: () => [] };
  await expect(applySteps(documents, [step], emptyTally([step]))).rejects.toThrow(
    'none: has 0 outcomes for 4 documents, expected one for each',
  );
});

test('steps of others stand beside those of this package, and say what they depend on', async () => {
  const versions: string[] = [];
  const [step] = await stepsOf([{ step: 'own', most: 3 }], 'p.json', {
    depends: (name, version) => versions.push(`${name} ${version}`),
    makers: {
      own: (given, place, { depends }) => {
        depends?.('weights', 'ab');
        return ruleStep(place, () => JSON.stringify(given));
      },
    },
  });
  expect([step!.name, versions]).toEqual(['p.json: step 1, own', ['weights ab']]);
  expect(await step!.apply(documents.slice(0, 1))).toEqual(['{"most":3}']);
  await expect(stepsOf([{ step: 'own' }], 'p.json')).rejects.toThrow(
    'p.json: step 1 is "own"; expected gopher-quality,',
  );
});
