import { expect, test } from 'vitest';
import { fromVocabAndMerges } from './formats/vocab-and-merges.js';
import type { Texts } from './string-lists.js';
import { trainBpe, trainByteLevelBpe } from './training/train-bpe.js';
import { trainCharacter } from './training/train-character.js';
import { trainUnigram } from './training/train-unigram.js';
import { trainWordPiece } from './training/train-word-piece.js';

const trainings = { trainBpe, trainByteLevelBpe, trainCharacter, trainUnigram, trainWordPiece };
const text = 'hello hello, whale';

for (const [name, train] of Object.entries(trainings)) {
  const run = (texts: unknown, options: object = {}) =>
    train(texts as Texts, { vocabSize: 300, ...options });

  test(`${name} takes every kind of list, and gives the same tokenizer`, async () => {
    async function* stream() {
      yield text;
    }
    const wanted = JSON.stringify(await run([text]));
    for (const texts of [new Set([text]), [text].values(), stream()]) {
      expect(JSON.stringify(await run(texts))).toBe(wanted);
    }
  });

  test.each<[unknown, string]>([
    [text, 'texts is "hello hello, whale"; expected a list of strings, such as [text]'],
    [undefined, 'texts is missing; expected a list of strings'],
    [{ 0: text, length: 1 }, 'texts is {'],
    [[text, 7], 'texts[1] is 7; expected a string'],
    [[[text]], 'texts[0] is ["hello hello, whale"]; expected a string'],
  ])(`${name} refuses %j for texts`, async (texts, message) => {
    await expect(run(texts)).rejects.toThrow(message);
  });

  test(`${name} refuses a string for a list of tokens`, async () => {
    await expect(run([text], { specialTokens: '<end>' })).rejects.toThrow(
      'specialTokens is "<end>"; expected a list of strings',
    );
    await expect(run([text], { specialTokens: ['<end>', 1] })).rejects.toThrow(
      'specialTokens[1] is 1; expected a string',
    );
  });
}

test.each([['trainBpe'], ['trainWordPiece']] as const)('%s: initialAlphabet', async (name) => {
  const options = { vocabSize: 300, initialAlphabet: 'abc' as never };
  await expect(trainings[name]([text], options)).rejects.toThrow('initialAlphabet is "abc"');
});

test('encodeBatch takes texts and pairs only', async () => {
  const tokenizer = await trainCharacter([text]);
  const encode = (texts: unknown) => () => tokenizer.encodeBatch(texts as string[]);
  expect(encode('hello')).toThrow('encodeBatch: texts is "hello"; expected an array of texts');
  expect(encode(new Set(['a']))).toThrow('encodeBatch: texts is {}; expected an array');
  expect(encode(['a', 7])).toThrow('encodeBatch: texts[1] is 7; expected a text or a pair');
  expect(encode([['a', 'b', 'c']])).toThrow('encodeBatch: texts[0] is ["a","b","c"]; expected');
  expect(encode([['a', 7]])).toThrow('text is 7; expected a string');
});

test('fromVocabAndMerges: specialTokens', () => {
  const make = () => fromVocabAndMerges('{"a":0}', '', { specialTokens: 'a' as never });
  expect(make).toThrow('specialTokens is "a"; expected a list of strings');
});
