import { expect, test } from 'vitest';
import { NormalizedText } from '../text/normalized-text.js';
import { Pieces } from '../text/pieces.js';
import { noTokens } from '../text/tokens.js';
import { Vocabulary } from '../vocabulary.js';
import { Bpe, type BpeOptions } from './bpe.js';
import { MergeTable } from './merge-table.js';

const tokens = [
  'u',
  'n',
  'r',
  'e',
  'l',
  'a',
  't',
  'd',
  're',
  'at',
  'ed',
  'un',
  'ated',
  'rel',
  'related',
  'unrelated',
];
const merges = ['r e', 'a t', 'e d', 'u n', 'at ed', 're l', 'rel ated', 'un related'];

function make(options: BpeOptions = {}): Bpe {
  const vocab = Vocabulary.of(tokens);
  const list = merges.flatMap((merge) => {
    const [left, right] = merge.split(' ') as [string, string];
    return [left, right, left + right].map((token) => vocab.id(token)!);
  });
  return new Bpe(vocab, new MergeTable(Int32Array.from(list)), options);
}

function tokenize(bpe: Bpe, word: string): { tokens: string[]; bounds: number[] } {
  const text = new NormalizedText();
  text.load(word);
  const pieces = new Pieces(text);
  pieces.reset();
  const found = noTokens();
  bpe.tokenize(pieces, found, 0);
  return { tokens: found.ids.map((id) => bpe.vocab.token(id)!), bounds: found.bounds };
}

test('merges are made in the order in which they were learned', () => {
  expect(tokenize(make(), 'unrelated')).toEqual({ tokens: ['unrelated'], bounds: [0, 9] });
  expect(tokenize(make(), 'relater')).toEqual({
    tokens: ['rel', 'at', 'e', 'r'],
    bounds: [0, 3, 3, 5, 5, 6, 6, 7],
  });
});

test('with dropout 1 nothing merges; with less, a merge is passed over as chance has it', () => {
  expect(tokenize(make({ dropout: 1 }), 'unrelated').tokens).toEqual([...'unrelated']);
  const chances = [0.9, 0.9, 0.9, 0.1, ...new Array<number>(20).fill(0.9)];
  const bpe = make({ dropout: 0.5, random: () => chances.shift()! });
  expect(tokenize(bpe, 'unrelated').tokens.join('')).toBe('unrelated');
  expect(tokenize(make({ dropout: 0.5, random: () => 0.9 }), 'unrelated').tokens).toEqual([
    'unrelated',
  ]);
});

test('a long word gives the tokens that it gives in parts, whichever way it is merged', () => {
  const parts = ['unrelated', 'relater', 'ated', 'deal', 'tentacle'.replaceAll('c', '')];
  const short = parts.map((part) => tokenize(make(), part).tokens);
  // No merge crosses from a part to the next: q is in no token, and is left out.
  const long = Array.from({ length: 40 }, (_, i) => parts[i % parts.length]!);
  expect(tokenize(make(), long.join('q')).tokens).toEqual(
    long.flatMap((_, i) => short[i % parts.length]!),
  );
});

test('a cached word has the tokens of its first time, at its own place', () => {
  const bpe = make();
  const first = tokenize(bpe, 'related');
  expect(tokenize(bpe, 'related')).toEqual(first);
  const text = new NormalizedText();
  text.load('xx related');
  const pieces = new Pieces(text);
  pieces.bounds = [3, 10];
  const found = noTokens();
  bpe.tokenize(pieces, found, 5);
  expect([found.ids.map((id) => bpe.vocab.token(id)), found.bounds, found.words]).toEqual([
    ['related'],
    [3, 10],
    [5],
  ]);
});
