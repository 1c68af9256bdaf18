import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type GgufReadValue, tokenizerMetadata } from '@headwise/gguf';
import { fullOnly } from '@headwise/testing';
import { chatTemplateOf, Tokenizer, trainByteLevelBpe, trainUnigram } from '@headwise/tokenizers';
import { describe, expect, test } from 'vitest';
import { ggufTokenizerFiles } from './tokenizer.js';

const packages = createRequire(join(import.meta.dirname, '../../../../tokenizers/package.json'));
const published = (name: string): Record<string, unknown> =>
  JSON.parse(
    readFileSync(packages.resolve(`@lenml/tokenizer-${name}/models/tokenizer.json`), 'utf8'),
  );

/** LLaMA 2's tokenizer with its first pieces and single characters alone. */
function firstPieces(count: number): Record<string, unknown> {
  const json = published('llama2');
  const model = json.model as { vocab: Record<string, number>; merges: string[] };
  const kept = Object.entries(model.vocab).filter(
    ([piece, id]) => id < count || [...piece].length === 1,
  );
  const inOrder = kept.sort(([, a], [, b]) => a - b);
  const vocab = Object.fromEntries(inOrder.map(([piece], id) => [piece, id]));
  const known = (piece: string) => Object.hasOwn(vocab, piece);
  const merges = model.merges.filter((merge) => {
    const parts = merge.split(' ');
    return parts.every(known) && known(parts.join(''));
  });
  return { ...json, model: { ...model, vocab, merges } };
}

const corpus = [
  'Call me Ishmael. Some years ago, never mind how long precisely, having little money in my purse.',
];
const llama2 = { bos_token: '<s>', eos_token: '</s>', add_bos_token: true };

const texts = [
  'Hello world',
  '  two blanks, and\ta tab\n\n\nthree lines  ',
  "I've 12345 whales; you'll see 3.14!",
  'Größe, naïve café, 鯨と海, кит 🐋🌊',
  'def f(x):\n    return x ** 2  # code\n',
  '<s> a <|endoftext|> mark </s>',
  '',
];

/** A tokenizer as the metadata of a file, and read from there. */
function throughFile(json: Record<string, unknown>, tokenizerConfig: Record<string, unknown> = {}) {
  const vocabSize = Tokenizer.fromJSON(json).vocabSize + 3;
  const { chat_template: chatTemplate } = tokenizerConfig as { chat_template?: string };
  const entries = tokenizerMetadata({
    tokenizer: json,
    config: {},
    tokenizerConfig,
    vocabSize,
    chatTemplate,
  });
  const metadata = new Map(
    Object.entries(entries).map(([key, [, value]]) => [
      key,
      (ArrayBuffer.isView(value) ? [...(value as Float32Array)] : value) as GgufReadValue,
    ]),
  );
  const files = ggufTokenizerFiles(metadata, 'a.gguf');
  const document = new TextEncoder().encode(JSON.stringify(files['tokenizer.json']));
  return {
    tokenizer: Tokenizer.fromBytes(document, 'tokenizer.json'),
    config: files['tokenizer_config.json']!,
    metadata,
  };
}

function expectSame(
  json: Record<string, unknown>,
  given: readonly string[],
  config: Record<string, unknown> = {},
): void {
  const before = Tokenizer.fromJSON(json);
  const { tokenizer } = throughFile(json, config);
  for (const text of given) {
    const ids = [...before.encode(text).ids];
    expect([text, [...tokenizer.encode(text).ids]]).toEqual([text, ids]);
    expect(tokenizer.decode(ids)).toBe(before.decode(ids));
  }
}

describe('a tokenizer that is written and read again has the same ids', () => {
  test('byte-level BPE that was trained', async () => {
    const trained = await trainByteLevelBpe(corpus, { vocabSize: 300 });
    expectSame(trained.toJSON() as Record<string, unknown>, texts);
  });

  test('Unigram that was trained', async () => {
    const trained = await trainUnigram(corpus, { vocabSize: 80 });
    // Before a text that begins with a blank, llama.cpp puts another.
    expectSame(
      trained.toJSON() as Record<string, unknown>,
      texts.map((text) => text.trim()),
    );
  });

  test("the first pieces of LLaMA 2's, which is BPE by scores", () =>
    expectSame(firstPieces(1500), texts, llama2));

  // Reading each takes seconds.
  fullOnly('published ones, whole', () => {
    expectSame(published('gpt2'), texts);
    expectSame(published('llama2'), texts, llama2);
  });
});

test('beginnings, ends and chat templates are those of the file', async () => {
  const { config, tokenizer } = throughFile(firstPieces(1500), {
    ...llama2,
    add_eos_token: true,
    chat_template: "{{ bos_token }}{{ messages[0]['content'] }}",
  });
  const ids = [...tokenizer.encode('Hello').ids];
  expect([ids[0], ids.at(-1)]).toEqual([1, 2]);
  const template = chatTemplateOf(config, { templates: {} })!;
  expect(template.applyChatTemplate([{ role: 'user', content: 'Hi' }])).toBe('<s>Hi');
});

test('what is not known is named', async () => {
  const trained = await trainByteLevelBpe(corpus, { vocabSize: 300 });
  const { metadata } = throughFile(trained.toJSON() as Record<string, unknown>);
  const files = (key: string, value: GgufReadValue) => () =>
    ggufTokenizerFiles(new Map([...metadata, [`tokenizer.ggml.${key}`, value]]), 'a.gguf');
  expect(files('model', 'rwkv')).toThrow(
    "a.gguf: 'tokenizer.ggml.model' is 'rwkv'; expected gpt2, llama or t5",
  );
  expect(files('pre', 'kimi-k2')).toThrow("a.gguf: 'tokenizer.ggml.pre' is 'kimi-k2'; expected");
  expect(files('token_type', [1, 1])).toThrow(
    "a.gguf: 'tokenizer.ggml.token_type' has 2 entries; expected one for each of 303 tokens",
  );
  expect(files('merges', ['ab'])).toThrow("'tokenizer.ggml.merges' has 'ab'; expected two tokens");
});
