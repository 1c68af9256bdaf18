import { expect, test } from 'vitest';
import { bert, published } from './goldens/read.node.js';
import { Tokenizer } from './tokenizer.js';

const holed = Tokenizer.fromJSON({
  added_tokens: [{ id: 9, content: '<end>', special: true }],
  decoder: { type: 'Fuse' },
  model: { type: 'BPE', vocab: { a: 0, b: 3, ab: 7, '<end>': 9 }, merges: [['a', 'b']] },
});

// Python: Tokenizer.from_str(…).decode leaves ids without a token out; id_to_token gives None.
test.each<[string, Tokenizer]>([
  ['a vocabulary with holes', holed],
  ['GPT-2', published('gpt2')],
  ['Llama 2', published('llama2')],
  ['BERT', bert()],
])('%s: ids without a token are nothing in a text, and marked', (_, tokenizer) => {
  const { ids } = tokenizer.encode('abab 🐋', { addSpecialTokens: false });
  const beyond = [tokenizer.vocabSize, tokenizer.vocabSize + 63, 2 ** 31 - 1];
  const mixed = ids.flatMap((id, i) => [id, beyond[i % 3]!]);
  const text = tokenizer.decode(ids);
  expect(tokenizer.decode(mixed)).toBe(text);
  expect(tokenizer.decode(beyond)).toBe('');
  expect(tokenizer.idsToTokens(mixed).filter((token) => token === null)).toHaveLength(ids.length);
  expect(tokenizer.idsToTokens(Int32Array.from(ids))).toEqual(
    ids.map((id) => tokenizer.idToToken(id)),
  );
  for (const options of [{}, { skipSpecialTokens: false }]) {
    const stream = tokenizer.decodeStream(options);
    const parts = mixed.map((id) => stream.push(id));
    expect(parts.join('') + stream.end()).toBe(tokenizer.decode(ids, options));
    expect(parts.filter((part, i) => i % 2 === 1 && part !== '')).toEqual([]);
  }
});

test('a caller can say what stands for them', () => {
  const options = { missingToken: (id: number) => `<${id}>` };
  expect(holed.decode([7, 1, 0], options)).toBe('ab<1>a');
  expect(holed.decodeStream(options).push(8)).toBe('<8>');
  const gpt2 = published('gpt2');
  expect(gpt2.decode([...gpt2.encode('the whale').ids, 50_300], options)).toBe('the whale<50300>');
});

test('a vocabulary with holes encodes, and is saved as it was', () => {
  expect(holed.encode('aabb<end>').ids).toEqual([0, 7, 3, 9]);
  expect(holed.vocabSize).toBe(10);
  expect(holed.idsToTokens([0, 1, 2, 3, 7, 9])).toEqual(['a', null, null, 'b', 'ab', '<end>']);
  const bytes = new TextEncoder().encode(JSON.stringify(holed));
  expect(Tokenizer.fromBytes(bytes).toJSON()).toEqual(holed.toJSON());
  expect((holed.toJSON().model as { vocab: object }).vocab).toEqual({
    a: 0,
    b: 3,
    ab: 7,
    '<end>': 9,
  });
});
