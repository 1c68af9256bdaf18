import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findDuplicates, findRepeatedParts, withoutRepeatedParts } from './find-duplicates.js';
import { textKey } from './text-keys.js';

async function* documents(texts: readonly string[]) {
  for (const text of texts) yield { text };
}

test('of documents that are equal when simplified the first stays', async () => {
  const texts = [
    'Call me Ishmael.',
    'Loomings',
    'call me — ishmael',
    'CALL ME ISHMAËL!',
    'loomings 1',
  ];
  const found = await findDuplicates(documents(texts), textKey);
  expect(texts.map((_, i) => found.firstOf(i))).toEqual([0, 1, 0, 0, 4]);
  expect(found).toMatchObject({ count: 5, repeated: 2 });
});

test('documents that share keys with others are joined along the chain, in runs of any size', async () => {
  // A text is a list of keys: "3 5" shares one with "5 8".
  const keysOf = (text: string) =>
    text === ''
      ? undefined
      : Uint32Array.from(text.split(' ').flatMap((key) => [Number(key) << 28, 1, 2, Number(key)]));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.nat(40), { maxLength: 3 }), { maxLength: 30 }),
      fc.integer({ min: 3, max: 40 }),
      async (lists, recordsInMemory) => {
        const texts = lists.map((list) => list.join(' '));
        const found = await findDuplicates(documents(texts), keysOf, { recordsInMemory });
        expect(texts.map((_, i) => found.firstOf(i))).toEqual(chains(lists));
      },
    ),
  );
});

/** The least document that can be reached from each by shared numbers. */
function chains(lists: readonly number[][]): number[] {
  const first = lists.map((_, i) => i);
  for (let changed = true; changed; ) {
    changed = false;
    lists.forEach((a, i) => {
      lists.forEach((b, j) => {
        if (first[j]! < first[i]! && a.some((key) => b.includes(key))) {
          first[i] = first[j]!;
          changed = true;
        }
      });
    });
  }
  return first;
}

test('a line stays where it stands first, and blank lines stay everywhere', async () => {
  const texts = [
    'Home\n\nCall me Ishmael.\nhome\n',
    '  HOME!\n\nSome years ago\n',
    'Some years ago',
  ];
  const repeated = await findRepeatedParts(documents(texts), 'line', { recordsInMemory: 2 });
  let first = 0;
  const kept = texts.map((text) => {
    const result = withoutRepeatedParts(text, 'line', repeated, first);
    first += result.parts;
    return result.text;
  });
  expect(kept).toEqual(['Home\n\nCall me Ishmael.\n', '\nSome years ago\n', '']);
});

test('paragraphs end at blank lines', async () => {
  const texts = ['one\ntwo\n\nthree\n \n\nfour', 'two\n\none\ntwo\n\nfour'];
  const repeated = await findRepeatedParts(documents(texts), 'paragraph');
  expect(repeated.count).toBe(6);
  expect(withoutRepeatedParts(texts[1]!, 'paragraph', repeated, 3)).toEqual({
    text: 'two\n\n',
    parts: 3,
    removed: 2,
  });
});
