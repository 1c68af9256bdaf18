import { mkdtempSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate, generateBatch } from '@headwise/generation';
import { type CheckpointPlace, createModel, languageModel } from '@headwise/models';
import { saveModel } from '@headwise/models/node';
import { Tokenizer, trainCharacter, trainUnigram } from '@headwise/tokenizers';
import { saveTokenizer } from '@headwise/tokenizers/node';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import {
  generateText,
  type LoadedText,
  type LoadTextOptions,
  load as loadWeb,
  promptIds,
  streamText,
} from './index.js';
import { load } from './node.js';

const folder = mkdtempSync(join(tmpdir(), 'headwise-text-'));
const template =
  '{% for m in messages %}<{{ m.content }}>{% endfor %}{% if add_generation_prompt %}|{% endif %}';
const sizes = { n_positions: 64, n_embd: 16, n_layer: 2, n_head: 2, initializer_range: 0.5 };

beforeAll(async () => {
  const tokenizer = await trainCharacter(['abcdefgh <>|']);
  const config = { model_type: 'gpt2', vocab_size: tokenizer.vocabSize, ...sizes } as const;
  const model = createModel(config, { seed: 5 });
  await saveModel(folder, model);
  model.params.dispose();
  await saveTokenizer(tokenizer, join(folder, 'tokenizer.json'));
});

const write = (name: string, value: unknown) =>
  writeFile(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));

async function loaded(
  options?: LoadTextOptions,
  place: CheckpointPlace = folder,
): Promise<LoadedText> {
  const found = await load(place, options);
  onTestFinished(() => found.model.params.dispose());
  return found;
}

/** The folder's files as a person chooses them in a browser. */
const chosen = async () =>
  Promise.all(
    (await readdir(folder)).map(
      async (name) => new File([await readFile(join(folder, name))], name),
    ),
  );

async function idsAfter(
  { model }: LoadedText,
  prompt: readonly number[],
  options: Parameters<typeof generate>[2],
): Promise<number[]> {
  const ids: number[] = [];
  for await (const id of generate(languageModel(model).network, prompt, options)) ids.push(id);
  return ids;
}

test('text in, text out: the same as tokens, streamed or not, from disk or from chosen files', async () => {
  const text = await loaded();
  const { model, tokenizer } = text;
  const options = { temperature: 0.9, seed: 3, maxNewTokens: 12 };
  const ids = await idsAfter(text, tokenizer.encode('abc').ids, options);
  const expected = tokenizer.decode(ids);
  expect(await generateText(model, tokenizer, 'abc', options)).toBe(expected);
  const pieces = [];
  for await (const piece of streamText(model, tokenizer, 'abc', options)) pieces.push(piece);
  expect(pieces.map(({ id }) => id)).toEqual(ids);
  expect(pieces.map((piece) => piece.text).join('')).toBe(expected);
  const web = await loadWeb(await chosen());
  onTestFinished(() => web.model.params.dispose());
  expect(await generateText(web.model, web.tokenizer, 'abc', options)).toBe(expected);
});

test("the folder's settings and end tokens count, and options win over them", async () => {
  const plain = await loaded();
  const prompt = plain.tokenizer.encode('ab').ids;
  const drawn = await idsAfter(plain, prompt, { temperature: 0.9, maxNewTokens: 30 });
  const stop = drawn.find((id, i) => i > 4 && drawn.indexOf(id) === i)!;
  const sampling = { do_sample: true, temperature: 0.9, top_k: 0 };
  const ending = { eos_token_id: stop, max_new_tokens: 30, colour: 1 };
  await write('generation_config.json', { ...sampling, ...ending });
  const warn = vi.fn();
  const { model, tokenizer } = await loaded({ warn });
  expect(warn.mock.calls).toEqual([
    ["headwise: generation_config.json: 'colour' is not a key of generate and has no effect"],
  ]);
  const ended = tokenizer.decode(drawn.slice(0, drawn.indexOf(stop)));
  expect(await generateText(model, tokenizer, 'ab')).toBe(ended);
  const all = { stopIds: [], seed: undefined };
  expect(await generateText(model, tokenizer, 'ab', all)).toBe(tokenizer.decode(drawn));
  // Of the two limits the given one counts, not the folder's.
  const short = await generateText(model, tokenizer, 'ab', { stopIds: [], maxLength: 5 });
  expect(short).toBe(tokenizer.decode(drawn.slice(0, 3)));
  expect((await loaded({ ignoreGenerationConfig: true })).model.generation).toEqual({});
  await rm(join(folder, 'generation_config.json'));
  // Other programs leave no manifest.
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
  await rm(join(folder, 'headwise-manifest.json'));
  await write('config.json', { ...config, eos_token_id: stop });
  expect((await loaded()).model.generation).toEqual({ stopIds: [stop] });
  await write('config.json', config);
});

test('messages are written by the chat template, without special tokens added twice', async () => {
  const messages = [{ role: 'user', content: 'abc' }];
  const none = await loaded();
  await expect(generateText(none.model, none.tokenizer, messages)).rejects.toThrow(
    'the prompt is messages, but the model has no chat template; expected a text',
  );
  await expect(generateText(none.model, none.tokenizer, 'a', { chat: {} })).rejects.toThrow(
    'chat is given, but the prompt is a text; expected messages',
  );
  await write('chat_template.jinja', template);
  const options = { temperature: 0, maxNewTokens: 8 };
  for (const { model, tokenizer } of [await loaded(), await loadWeb(await chosen())]) {
    expect(await generateText(model, tokenizer, messages, options)).toBe(
      await generateText(model, tokenizer, '<abc>|', options),
    );
  }
  const chatTemplate = '{{ messages[0].content }}{% if add_generation_prompt %}>{% endif %}';
  for (const place of [folder, await chosen()]) {
    const { model, tokenizer } = await loaded({ chatTemplate }, place);
    expect(promptIds(model, tokenizer, messages)).toEqual(tokenizer.encode('abc>').ids);
  }
});

test('a space before the first new word is kept, where it belongs to the token', async () => {
  const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true };
  const options = { vocabSize: 12, preTokenizer: metaspace };
  const trained = await trainUnigram(['ab cd ab cd ab cd '.repeat(5)], options);
  const tokenizer = Tokenizer.fromJSON({ ...trained.toJSON(), decoder: metaspace });
  const config = { model_type: 'gpt2', vocab_size: tokenizer.vocabSize, ...sizes } as const;
  const model = createModel(config, { seed: 2 });
  onTestFinished(() => model.params.dispose());
  const space = tokenizer.tokenToId('▁')!;
  const others = Array.from({ length: tokenizer.vocabSize }, (_, id) => id).filter(
    (id) => id !== space,
  );
  const sampling = { beginSuppressIds: others, temperature: 0.9, maxNewTokens: 9 };
  const text = await generateText(model, tokenizer, 'ab', sampling);
  expect(text.length).toBeGreaterThan(1);
  expect(text[0]).toBe(' ');
});

test('a model that does not write, and a folder without a tokenizer, are refused by name', async () => {
  const tokenizer = Tokenizer.fromJSON((await loaded()).tokenizer.toJSON());
  const encoder = createModel({
    model_type: 'bert',
    vocab_size: tokenizer.vocabSize,
    hidden_size: 8,
    num_attention_heads: 2,
    num_hidden_layers: 1,
    intermediate_size: 8,
  });
  const path = mkdtempSync(join(tmpdir(), 'headwise-text-'));
  await saveModel(path, encoder);
  encoder.params.dispose();
  await expect(load(path)).rejects.toThrow('has no tokenizer.json');
  await expect(loadWeb([])).rejects.toThrow('tokenizer.json is missing');
  await saveTokenizer(tokenizer, join(path, 'tokenizer.json'));
  await expect(load(path)).rejects.toThrow("family 'bert' is an encoder and writes no text");
});

test('a stop text may span tokens, is left out, and nothing of it is shown before', async () => {
  const { model, tokenizer } = await loaded({ ignoreGenerationConfig: true });
  const options = { temperature: 0.9, seed: 3, maxNewTokens: 20 };
  const whole = await generateText(model, tokenizer, 'abc', options);
  const stop = whole.slice(4, 7);
  const pieces: string[] = [];
  const stream = streamText(model, tokenizer, 'abc', { ...options, stop: ['zzzz', stop] });
  let next = await stream.next();
  for (; !next.done; next = await stream.next()) pieces.push(next.value.text);
  expect(next.value).toBe('stop');
  expect(pieces.join('')).toBe(whole.slice(0, whole.indexOf(stop)));
  // One character a token: the first of the stop text is held back.
  expect(pieces.at(-1)).toBe('');
  const begun = `${whole.slice(-2)}z`;
  expect(await generateText(model, tokenizer, 'abc', { ...options, stop: begun })).toBe(whole);
  await expect(generateText(model, tokenizer, 'abc', { stop: '' })).rejects.toThrow(
    'stop has an empty text',
  );
});

test("alternatives come with each token, and a folder's stop strings count", async () => {
  await write('generation_config.json', { max_new_tokens: 12, stop_strings: ['qqq'] });
  const { model, tokenizer } = await loaded();
  expect(model.generation).toMatchObject({ stop: ['qqq'] });
  const expected = await generateText(model, tokenizer, 'abc');
  let text = '';
  for await (const piece of streamText(model, tokenizer, 'abc', { alternatives: 2 })) {
    text += piece.text;
    // Greedy: the best alternative is the token.
    expect(piece.alternatives?.[0]).toEqual({ id: piece.id, logProbability: piece.logProbability });
  }
  expect(text).toBe(expected);
});

test('an encoder-decoder reads the prompt and writes a text of its own', async () => {
  const place = mkdtempSync(join(tmpdir(), 'headwise-text-'));
  const tokenizer = await trainCharacter(['abcdefgh <>|']);
  const t5 = createModel(
    {
      model_type: 't5',
      vocab_size: tokenizer.vocabSize,
      d_model: 16,
      d_kv: 8,
      d_ff: 24,
      num_layers: 1,
      num_heads: 2,
      decoder_start_token_id: 0,
    },
    { seed: 3 },
  );
  await saveModel(place, t5);
  t5.params.dispose();
  await saveTokenizer(tokenizer, join(place, 'tokenizer.json'));
  const { model } = await loaded({}, place);
  const options = { maxNewTokens: 6, seed: 4 };
  const { sequences } = await generateBatch(model.network, [tokenizer.encode('abc').ids], options);
  const ids = sequences[0]!.tokens.map(({ id }) => id);
  expect(ids).toHaveLength(6);
  const text = await generateText(model, tokenizer, 'abc', options);
  expect(text).toBe(tokenizer.decode(ids));
  const streamed: number[] = [];
  for await (const piece of streamText(model, tokenizer, 'abc', { ...options, alternatives: 2 })) {
    if (piece.id === undefined) continue;
    streamed.push(piece.id);
    expect(piece.alternatives).toHaveLength(2);
  }
  expect(streamed).toEqual(ids);
  await expect(generateText(model, tokenizer, '', options)).rejects.toThrow('prompt');
});
