import { expect, test } from 'vitest';
import golden from './goldens/packing.json' with { type: 'json' };
import { collatedBatches, packDocuments, packedRows, packLengths } from './index.js';

const { length, lengths } = golden;
const idsOf = (pieces: ReturnType<typeof packLengths>[number]) =>
  pieces.flatMap(({ document, start, end }) =>
    Array.from({ length: end - start }, (_, i) => 100 * document + start + i),
  );

for (const [name, options] of [
  ['truncate', { overflow: 'truncate' }],
  ['split', {}],
  ['concatenate', { strategy: 'concatenate' }],
] as const) {
  test(`the rows are those of TRL's pack_dataset: ${name}`, () => {
    expect(packLengths(lengths, { length, ...options }).map(idsOf)).toEqual(golden[name]);
  });
}

test('best fit takes the fullest row that a piece fits', () => {
  const rows = packLengths([3, 5, 2, 4, 1], { length: 7 });
  // Of 5, 4, 3, 2, 1: 5 | 4 3 | and 2 into the row of 5, so that 1 begins another.
  expect(rows.map((row) => row.map(({ document }) => document))).toEqual([[1, 2], [3, 0], [4]]);
});

test('every token but the first of a document is predicted once, beside its own document alone', () => {
  const documents = lengths
    .filter((tokens) => tokens > 1)
    .map((tokens, n) => ({ ids: Array.from({ length: tokens }, (_, i) => 100 * (n + 1) + i) }));
  for (const strategy of ['best-fit', 'concatenate'] as const) {
    const rows = packDocuments(documents, { length, strategy });
    const batch = packedRows({ length, padId: 7 })(rows);
    expect(batch.shape).toEqual([rows.length, length]);
    const seen: number[] = [];
    for (let i = 0; i < batch.inputs.length; i++) {
      const [input, target] = [batch.inputs[i]!, batch.targets[i]!];
      if (target === -100) expect(input).toBe(7);
      else {
        expect(target).toBe(input + 1);
        seen.push(target);
      }
      const before = i % length === 0 ? undefined : batch.documents[i - 1];
      const same = before === batch.documents[i];
      if (same && target !== -100) expect(input).toBe(batch.inputs[i - 1]! + 1);
    }
    const wanted = documents.flatMap(({ ids }) => ids.slice(1));
    expect(seen.toSorted((a, b) => a - b)).toEqual(wanted.toSorted((a, b) => a - b));
  }
});

test('marks go along, and batches depend on the seed and their number alone', () => {
  const documents = [{ ids: [5, 6, 7, 8], counted: [0, 0, 1, 1] }, { ids: [9, 10] }];
  const rows = packDocuments(documents, { length: 5 });
  expect(packedRows({ length: 5 })(rows)).toEqual({
    inputs: Int32Array.of(5, 6, 7, 9, 0),
    targets: Int32Array.of(-100, 7, 8, 10, -100),
    documents: Int32Array.of(0, 0, 0, 1, 2),
    shape: [1, 5],
  });
  const many = packDocuments(
    Array.from({ length: 9 }, (_, n) => ({ ids: [n, n, n] })),
    { length: 5 },
  );
  const at = (seed: number, step: number) =>
    collatedBatches(many, packedRows({ length: 5 }), { batchSize: 2, seed }).at(step);
  expect(at(1, 3)).toEqual(at(1, 3));
  expect(at(1, 3).examples).not.toEqual(at(2, 3).examples);
});

test('rows of a long prompt alone are left out, and rows tell whose parts they have', () => {
  const prompt = { ids: [1, 2, 3, 4, 5, 6], counted: [0, 0, 0, 0, 0, 1] };
  const rows = packDocuments([prompt, { ids: [7, 8] }], { length: 3, strategy: 'concatenate' });
  expect(rows.map(({ documents }) => documents)).toEqual([[0, 1]]);
  expect(rows[0]!.parts).toEqual([{ ids: [4, 5, 6], counted: [0, 0, 1] }, { ids: [7, 8] }]);
});

test('what cannot be packed is refused by its place', () => {
  expect(() => packLengths([], { length: 4 })).toThrow(
    'there are no documents, expected at least one',
  );
  expect(() => packLengths([3, 0], { length: 4 })).toThrow(
    'the length of document 1 is 0, expected a whole number of at least 1',
  );
  expect(() => packDocuments([{ ids: [1, 2] }, { ids: [3] }], { length: 4 })).toThrow(
    'document 1 has 1 tokens, expected at least 2 to predict one',
  );
  expect(() => packDocuments([{ ids: [1, 2], counted: [1] }], { length: 4 })).toThrow(
    'document 0 has 2 tokens and 1 marks, expected one for each',
  );
  const rows = packDocuments([{ ids: [1, 2, 3, 4, 5] }], { length: 4 });
  expect(() => packedRows({ length: 3 })(rows)).toThrow(
    'row 0 of a batch reads 4 tokens, expected at most 3',
  );
  const read = [{ ids: [1, 2], counted: [1, 0] }];
  expect(() => packDocuments(read, { length: 4 })).toThrow(
    'none of the 1 documents has a token to predict, expected at least one',
  );
  expect(() => packedRows({ length: 4 })([{ parts: read }])).toThrow(
    'none of the 1 rows of a batch has a token to predict, expected at least one',
  );
});
