import { readFileSync } from 'node:fs';
import { Tokenizer } from '@headwise/tokenizers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { labelOf, Pieces, piecesOf } from './token-text.js';

const path = new URL('../../public/models/moby-dick/tokenizer.json', import.meta.url);
const bytes = Tokenizer.fromBytes(readFileSync(path));
/** Pieces after `▁`, with single bytes for what has none. */
const metaspace = Tokenizer.fromJSON({
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: true },
  post_processor: null,
  decoder: {
    type: 'Sequence',
    decoders: [
      { type: 'ByteFallback' },
      { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: true },
    ],
  },
  model: {
    type: 'BPE',
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: true,
    ignore_merges: false,
    vocab: Object.fromEntries(
      [
        '▁',
        'a',
        'b',
        ...Array.from({ length: 256 }, (_, i) => {
          const hex = i.toString(16).toUpperCase().padStart(2, '0');
          return `<0x${hex}>`;
        }),
      ].map((token, id) => [token, id]),
    ),
    merges: [],
  },
});

test('the texts of pieces are the text, whatever it is', () => {
  for (const tokenizer of [bytes, metaspace]) {
    const check = (text: string) => {
      const { ids } = tokenizer.encode(text);
      const pieces = piecesOf(tokenizer, ids);
      expect(pieces.map((piece) => piece.text).join('')).toBe(text);
      expect(pieces.map(({ id }) => id)).toEqual([...ids]);
      for (const piece of pieces) expect(piece.text).not.toContain('\ufffd');
    };
    for (const text of ['a\n\nb\n', 'a 🐋 b', '東京', '\n', 'a\tb', '🏳️‍🌈a']) check(text);
    const words = fc.array(fc.constantFrom('a', 'b ', '\n', '🐋', 'é', '京'), { minLength: 1 });
    fc.assert(fc.property(words, (parts) => check(parts.join(''))));
  }
});

test('a part of a character shows its bytes, and the last part the character', () => {
  const pieces = piecesOf(bytes, bytes.encode('🐋').ids);
  expect(pieces.map(({ text, bytes: part }) => (text === '' ? part : text))).toEqual([
    'F0',
    '9F',
    '90',
    '🐋',
  ]);
  expect(labelOf(bytes, pieces[0]!.id)).toBe('⟨F0⟩');
});

test('a stream that ends within a character yields the rest, and is split nowhere else', () => {
  const { ids } = bytes.encode('a🐋');
  expect(piecesOf(bytes, ids.slice(0, -1)).map(({ text }) => text)).toEqual([
    'a',
    '',
    '',
    '\ufffd',
  ]);
  const after = new Pieces(bytes, ids.slice(0, -1));
  expect(after.push(ids.at(-1)!).text).toBe('🐋');
});

test('a token alone is read as within its text', () => {
  const { ids } = metaspace.encode('a b');
  expect(labelOf(metaspace, ids[2]!, ids.slice(0, 2))).toBe(' ');
  expect(labelOf(metaspace, 100_000)).toBe('#100000, no token');
  expect(labelOf(bytes, bytes.encode('\n').ids[0]!)).toBe('\n');
});
