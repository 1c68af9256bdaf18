import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { published } from './goldens/read.node.js';

vi.setConfig({ testTimeout: 120_000 });

const anyText = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 60 }) },
  { weight: 1, arbitrary: fc.lorem({ maxCount: 12 }) },
  {
    weight: 1,
    arbitrary: fc.array(fc.constantFrom(' ', '\n', '\t', 'a', "'", '1')).map((s) => s.join('')),
  },
);

// A text that spells a special token encodes to that token, which decode leaves out.
const spellsToken = /<[^>]*>|\[[^\]]*\]/;

describe.each(['gpt2', 'llama3'])('%s, byte-level', (name) => {
  const tokenizer = published(name);

  test('decode gives back every text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        fc.pre(!spellsToken.test(text));
        expect(tokenizer.decode(tokenizer.encode(text).ids)).toBe(text);
      }),
      { numRuns: 10_000 },
    );
  });
});

describe.each(['llama2', 'gemma3'])('%s, byte fallback', (name) => {
  const tokenizer = published(name);

  // These models write a space as ▁, so a ▁ of the text comes back as a space, as from the reference.
  test('decode gives back every text without ▁', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        fc.pre(!spellsToken.test(text) && !text.includes('▁'));
        expect(tokenizer.decode(tokenizer.encode(text).ids)).toBe(text);
      }),
      { numRuns: 10_000 },
    );
  });
});

describe.each(['gpt2', 'llama2', 'llama3', 'gemma3'])('%s', (name) => {
  const tokenizer = published(name);

  test('offsets are in order, lie on characters and cover the text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { offsets, specialTokensMask } = tokenizer.encode(text);
        let end = 0;
        offsets.forEach(([from, to], i) => {
          if (specialTokensMask[i] === 1) return;
          expect(from).toBeLessThanOrEqual(end);
          expect(to).toBeGreaterThanOrEqual(end);
          expect(text.slice(from, to).isWellFormed()).toBe(true);
          end = to;
        });
        expect(end).toBe(text.length);
      }),
      { numRuns: 1_000 },
    );
  });

  test('a stream gives whole characters that join to what decode gives', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { ids } = tokenizer.encode(text);
        const stream = tokenizer.decodeStream();
        const parts = ids.map((id) => stream.push(id));
        for (const part of parts) expect(part.isWellFormed()).toBe(true);
        expect(parts.join('') + stream.end()).toBe(tokenizer.decode(ids));
      }),
      { numRuns: 1_000 },
    );
  });
});

test('a stream holds the bytes of a character back until it is whole', () => {
  const tokenizer = published('gpt2');
  const { ids } = tokenizer.encode('a👩b');
  const stream = tokenizer.decodeStream();
  expect(ids.map((id) => stream.push(id))).toEqual(['a', '', '👩', 'b']);
  const cut = tokenizer.decodeStream();
  cut.push(ids[1]!);
  expect(cut.end()).toBe('\ufffd');
});
