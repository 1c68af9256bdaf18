import { expect, test } from 'vitest';
import golden from '../goldens/decontamination.json' with { type: 'json' };
import { evaluationOf, mixedDocuments } from '../goldens/mixed-documents.node.js';
import { decontaminate } from './decontaminate.js';

const all = mixedDocuments(2000);
const examples = evaluationOf(all);

test.each(golden.settings)(
  'documents are contaminated where datatrove says so: %j',
  async ({ options, contaminated }) => {
    const step = decontaminate(examples, options);
    const documents = process.env.HEADWISE_DATATROVE ? all : all.filter((_, i) => i % 4 === 0);
    const expected = contaminated.filter((i) => documents.includes(all[i]!));
    const outcomes = await step.apply(documents);
    const found = documents.filter((_, i) => typeof outcomes[i] === 'string');
    expect(found.map(({ id }) => Number(id.slice('mixed:'.length)))).toEqual(expected);
    expect(expected.length).toBeGreaterThan(10);
  },
);

const answer =
  'call me ishmael some years ago never mind how long precisely having little or no money';
const of = (text: string) => ({ id: '', text, meta: {} });

test('case, punctuation and digits do not hide an n-gram, and the rule names the set', async () => {
  const step = decontaminate([{ task: 'moby', text: answer }]);
  const hidden =
    'So: “CALL me, Ishmael! Some years ago (never mind how long, précisely), having little” 7.';
  const shorter = of('call me ishmael some years ago never mind how long precisely having none');
  expect(await step.apply([of(hidden), shorter])).toEqual(['contaminated: moby', shorter]);
});

test('n-grams of queries alone, and those that end in the text, may be left out', async () => {
  const words = answer.split(' ');
  const [query, text] = [words.slice(0, 8).join(' '), words.slice(8).join(' ')];
  const inQuery = of(query);
  const across = of(words.slice(4, 12).join(' '));
  const outcomes = async (options: object) => {
    const step = decontaminate([{ task: 'moby', text, query }], { words: 6, ...options });
    const found = await step.apply([inQuery, across, of(text)]);
    return found.map((outcome) => typeof outcome === 'string');
  };
  expect(await outcomes({})).toEqual([true, true, true]);
  expect(await outcomes({ queries: false })).toEqual([false, true, true]);
  expect(await outcomes({ queries: false, overlaps: false })).toEqual([false, false, true]);
  expect(() => decontaminate([{ task: 'a', text: 'too short' }])).toThrow(
    'no example has 13 words',
  );
});
