import { expect, test } from 'vitest';
import { published } from './goldens/read.node.js';
import { codePointOffsets, Tokenizer, trainByteLevelBpe, trainCharacter } from './index.js';

test('code points count a surrogate pair as one', () => {
  const text = 'a😀b𝔘';
  expect(
    codePointOffsets(text, [
      [0, 1],
      [1, 3],
      [3, 4],
      [4, 6],
      [0, 6],
    ]),
  ).toEqual([
    [0, 1],
    [1, 2],
    [2, 3],
    [3, 4],
    [0, 4],
  ]);
  expect(() => codePointOffsets(text, [[0, 7]])).toThrow(
    'codePointOffsets: offset 7 lies outside a text of 6 code units',
  );
});

test('a tokenizer says whether its encodings tell words apart', async () => {
  const trained = await trainByteLevelBpe(['a b'], { vocabSize: 256 });
  const of = (pre_tokenizer: unknown) => Tokenizer.fromJSON({ ...trained.toJSON(), pre_tokenizer });
  const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always' };
  const cases: [Tokenizer, boolean][] = [
    [trained, true],
    [published('gpt2'), true],
    [of({ type: 'Whitespace' }), true],
    [of({ ...metaspace, split: true }), true],
    [of({ ...metaspace, split: false }), false],
    [of(null), false],
    [await trainCharacter(['a b']), false],
  ];
  for (const [tokenizer, cuts] of cases) {
    expect(tokenizer.cutsWords).toBe(cuts);
    const words = new Set(tokenizer.encode('a b').wordIds);
    expect(words.size > 1).toBe(cuts);
  }
});

test('options of encode go before those of the file, and null switches them off', () => {
  const json = published('gpt2').toJSON();
  const tokenizer = Tokenizer.fromJSON({
    ...json,
    truncation: { max_length: 3, strategy: 'LongestFirst', stride: 0, direction: 'Right' },
    padding: {
      strategy: { Fixed: 5 },
      direction: 'Right',
      pad_id: 50256,
      pad_type_id: 0,
      pad_token: '<|endoftext|>',
    },
  });
  const text = 'Call me Ishmael. Some years ago';
  const whole = published('gpt2').encode(text).ids;
  expect(tokenizer.encode(text).ids).toEqual([...whole.slice(0, 3), 50256, 50256]);
  expect(tokenizer.encode(text).attentionMask).toEqual([1, 1, 1, 0, 0]);
  expect(tokenizer.encode(text).overflowing.length).toBe(Math.ceil(whole.length / 3) - 1);
  expect(tokenizer.encode(text, { truncation: null, padding: null }).ids).toEqual(whole);
  const own = tokenizer.encode(text, {
    truncation: { maxLength: 2, direction: 'left' },
    padding: { multipleOf: 4, id: 7 },
  });
  expect(own.ids).toEqual([...whole.slice(-2), 7, 7]);
});

test('without special tokens a post-processor adds none', () => {
  const tokenizer = published('llama2');
  const { ids } = tokenizer.encode('Call me');
  expect(ids[0]).toBe(1);
  expect(tokenizer.encode('Call me', { addSpecialTokens: false }).ids).toEqual(ids.slice(1));
  expect(tokenizer.decode(ids)).toBe('Call me');
  expect(tokenizer.decode(ids, { skipSpecialTokens: false })).toBe('<s> Call me');
});
