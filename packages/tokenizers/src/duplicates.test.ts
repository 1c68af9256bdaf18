import { expect, test } from 'vitest';
import { Tokenizer } from './tokenizer.js';

const token = (id: number, content: string, special = true) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special,
});

/** A tokenizer of a model's JSON, which may have a key twice. */
const load = (model: string, added: object[] = []): Tokenizer =>
  Tokenizer.fromBytes(
    new TextEncoder().encode(`{"added_tokens": ${JSON.stringify(added)}, "model": ${model}}`),
  );

// The values are those of Python's tokenizers 0.23.3.
test.each<
  [
    what: string,
    model: string,
    added: object[],
    texts: Record<string, number[]>,
    tokens: (string | undefined)[],
  ]
>([
  [
    'a key that stands twice has its last id',
    '{"type": "BPE", "vocab": {"a": 0, "b": 1, "a": 2}, "merges": []}',
    [],
    { ab: [2, 1] },
    [undefined, 'b', 'a'],
  ],
  [
    'two tokens may have one id',
    '{"type": "WordPiece", "unk_token": "u", "continuing_subword_prefix": "#", "max_input_chars_per_word": 9, "vocab": {"a": 0, "#b": 0, "u": 3}}',
    [],
    { ab: [0, 0], a: [0], b: [3] },
    ['a', undefined, undefined, 'u'],
  ],
  [
    'a piece that stands twice has its last id and score',
    '{"type": "Unigram", "unk_id": 0, "vocab": [["u", 0.0], ["a", -1.0], ["b", -2.0], ["a", -3.5], ["ab", -4.0]]}',
    [],
    { ab: [4], a: [3] },
    ['u', 'a', 'b', 'a', 'ab'],
  ],
  [
    'an unknown piece that stands twice',
    '{"type": "Unigram", "unk_id": 1, "vocab": [["u", 0.0], ["u", -1.0], ["b", -2.0]]}',
    [],
    { u: [1], x: [1] },
    ['u', 'u', 'b'],
  ],
  [
    'added tokens have the id of the vocabulary, or the next one',
    '{"type": "WordLevel", "unk_token": "u", "vocab": {"u": 0, "a": 9}}',
    [token(5, 'x'), token(1, 'y'), token(3, 'x', false), token(4, ''), token(2, 'a')],
    { x: [2], y: [3], a: [9] },
    ['u', undefined, 'x', 'y', undefined, undefined, undefined, undefined, undefined, 'a'],
  ],
])('%s', (_, model, added, texts, tokens) => {
  const tokenizer = load(model, added);
  const again = Tokenizer.fromJSON(tokenizer.toJSON());
  for (const each of [tokenizer, again]) {
    for (const [text, ids] of Object.entries(texts)) expect(each.encode(text).ids).toEqual(ids);
    expect(tokens.map((_, id) => each.idToToken(id))).toEqual(tokens);
  }
});

test('an added token that stands twice is what it is the last time', () => {
  const tokenizer = load('{"type": "WordLevel", "unk_token": "u", "vocab": {"u": 0}}', [
    token(1, 'x'),
    token(1, 'x', false),
  ]);
  expect(tokenizer.addedTokens).toMatchObject([{ id: 1, content: 'x', special: false }]);
});

test('a list of merges may begin with its version', () => {
  const tokenizer = load(
    '{"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["#version: 0.2", "a b"]}',
  );
  expect(tokenizer.encode('abb').ids).toEqual([2, 1]);
  const json = JSON.parse(
    '{"model": {"vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["#version: 0.2", "a b"]}}',
  );
  expect(Tokenizer.fromJSON(json).encode('abb').ids).toEqual([2, 1]);
});
