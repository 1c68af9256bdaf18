import { readFileSync } from 'node:fs';
import { encoderDecoderModel, loadModel } from '@headwise/models';
import { folderFiles } from '@headwise/models/node';
import { Tokenizer } from '@headwise/tokenizers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import expected from './goldens/languages/expected.json' with { type: 'json' };
import { generateText, generateTexts, promptIds, type TextModel } from './index.js';

const file = (name: string) => new URL(name, import.meta.url);
const tokenizer = Tokenizer.fromBytes(readFileSync(file('goldens/languages/tokenizer.json')));
let model: TextModel & { dispose(): void };

beforeAll(async () => {
  const folder = file('../../parity/goldens/m2m100/').pathname;
  const { network, params } = encoderDecoderModel(await loadModel(folderFiles(folder)));
  model = { network, dispose: () => params.dispose() };
});
afterAll(() => model.dispose());

const settings = { maxNewTokens: 12, repetitionPenalty: 3, temperature: 0 };
const text = 'a cat sat';

test('texts are read and written in the languages that are asked for, as by transformers', async () => {
  for (const { source, target, ids, text: written } of expected.cases) {
    expect(promptIds(model, tokenizer, text, undefined, source)).toEqual(ids);
    const languages = { source, target };
    expect(await generateText(model, tokenizer, text, { ...settings, languages })).toBe(written);
  }
  const all = expected.cases.map(({ source, target }) => ({
    ...settings,
    languages: { source, target },
  }));
  const made = await generateTexts(
    model,
    tokenizer,
    all.map(() => text),
    all,
  );
  expect(made.map((each) => each.text)).toEqual(expected.cases.map((each) => each.text));
  expect(new Set(expected.cases.map((each) => each.text)).size).toBeGreaterThan(1);
});

test('languages that the tokenizer does not have are refused by name', async () => {
  const refused = (languages: object, prompt: Parameters<typeof generateText>[2] = text) =>
    generateText(model, tokenizer, prompt, { ...settings, languages });
  await expect(refused({ source: 'xx' })).rejects.toThrow(
    `languages: 'source' is "xx"; expected one of eng_Latn, fra_Latn, deu_Latn`,
  );
  await expect(refused({ target: 'a' })).rejects.toThrow(
    /'target' is "a"; expected one of eng_Latn/,
  );
  const plain = Tokenizer.fromJSON({ ...tokenizer.toJSON(), post_processor: null });
  await expect(
    generateText(model, plain, text, { ...settings, languages: { source: 'fra_Latn' } }),
  ).rejects.toThrow('the tokenizer puts 0 languages beside a text; expected one');
  await expect(refused({ source: 'fra_Latn' }, [{ role: 'user', content: 'a' }])).rejects.toThrow(
    'the prompt is messages; expected a text',
  );
});
