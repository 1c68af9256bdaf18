import { createModel, languageModel } from '@headwise/models';
import { ChatTemplate, trainCharacter } from '@headwise/tokenizers';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generateText, generateTexts, type TextModel, TextQueue } from './index.js';

const sizes = { n_positions: 64, n_embd: 16, n_layer: 2, n_head: 2, initializer_range: 0.5 };
let tokenizer: Awaited<ReturnType<typeof trainCharacter>>;
let model: ReturnType<typeof languageModel>;

beforeAll(async () => {
  tokenizer = await trainCharacter(['abcdefgh <>|']);
  model = languageModel(
    createModel({ model_type: 'gpt2', vocab_size: tokenizer.vocabSize, ...sizes }, { seed: 5 }),
  );
});
afterAll(() => model.params.dispose());

const prompts = ['abc', 'a', 'hgfedcba', 'bb', 'abc'];

test('each is the text that it is alone, whatever runs beside it', async () => {
  const options = prompts.map((_, n) => ({ seed: n, temperature: 0.9, maxNewTokens: 2 + 2 * n }));
  const alone: string[] = [];
  for (const [n, prompt] of prompts.entries()) {
    alone.push(await generateText(model, tokenizer, prompt, options[n]));
  }
  const before = tf.memory().numTensors;
  for (const running of [2, 8]) {
    const texts = await generateTexts(model, tokenizer, prompts, options, { running });
    expect(texts.map(({ text }) => text)).toEqual(alone);
    expect(texts.map(({ ids }) => ids.length)).toEqual([2, 4, 6, 8, 10]);
    expect(texts.map(({ promptTokens }) => promptTokens)).toEqual([3, 1, 8, 2, 3]);
    expect(texts.map(({ reason }) => reason)).toEqual(prompts.map(() => 'length'));
    for (const { logProbability } of texts) expect(logProbability).toBeLessThan(0);
  }
  expect(tf.memory().numTensors).toBe(before);
  expect(await generateTexts(model, tokenizer, [])).toEqual([]);
});

test('stop texts end one and not the others, and are left out', async () => {
  const options = { seed: 1, temperature: 0.9, maxNewTokens: 16 };
  const whole = await generateText(model, tokenizer, 'abc', options);
  const stop = whole.slice(4, 6);
  const texts = await generateTexts(
    model,
    tokenizer,
    ['abc', 'abc'],
    [{ ...options, stop }, options],
  );
  expect(texts[0]).toMatchObject({ text: whole.slice(0, whole.indexOf(stop)), reason: 'stop' });
  expect(texts[0]!.ids.length).toBeLessThan(16);
  expect(texts[1]).toMatchObject({ text: whole, reason: 'length' });
});

test("messages go through the chat template; drafts of the model's settings do not matter", async () => {
  const chatTemplate = new ChatTemplate({
    chat_template:
      '{% for m in messages %}<{{ m.content }}>{% endfor %}{% if add_generation_prompt %}|{% endif %}',
  });
  const draft = () => [];
  const chat: TextModel = {
    network: model.network,
    chatTemplate,
    generation: { speculation: { drafter: () => ({ draft, dispose: () => {} }) } } as never,
  };
  const options = { temperature: 0, maxNewTokens: 4 };
  const [text] = await generateTexts(
    chat,
    tokenizer,
    [[{ role: 'user', content: 'abc' }]],
    options,
  );
  expect(text!.text).toBe(await generateText(model, tokenizer, '<abc>|', options));
});

test('what cannot be is refused', async () => {
  await expect(generateTexts(model, tokenizer, ['a', 'b'], [{}])).rejects.toThrow(
    'generateTexts: 1 options for 2 prompts; expected one for each',
  );
  await expect(generateTexts(model, tokenizer, ['a'], {}, { running: 0 })).rejects.toThrow(
    'running is 0; expected a whole number of at least 1',
  );
  const before = tf.memory().numTensors;
  await expect(generateTexts(model, tokenizer, ['a', ''])).rejects.toThrow('prompt');
  const processors = [
    {
      host: () => {
        throw new Error('no more');
      },
    },
  ];
  await expect(generateTexts(model, tokenizer, ['a', 'b'], { processors })).rejects.toThrow(
    'no more',
  );
  expect(tf.memory().numTensors).toBe(before);
});

test('a queue takes prompts at any time: those that come later join the batch, and each is the text that it is alone', async () => {
  const options = prompts.map((_, n) => ({ seed: n, temperature: 0.9, maxNewTokens: 2 + 2 * n }));
  const alone = await generateTexts(model, tokenizer, prompts, options);
  const before = tf.memory().numTensors;
  const queue = new TextQueue(model, tokenizer, { running: 2 });
  const order: number[] = [];
  const write = async (n: number) => {
    const written = await queue.write(prompts[n]!, options[n]);
    order.push(n);
    return written;
  };
  // The first has two tokens: the third and the fourth are asked for when it is there, beside the second, which goes on.
  const [, second, later] = await Promise.all([
    write(0).then((first) => expect(first).toEqual(alone[0])),
    write(4),
    queue.write(prompts[0]!, options[0]).then(() => Promise.all([write(1), write(2)])),
  ]);
  expect([second, ...later]).toEqual([alone[4], alone[1], alone[2]]);
  expect(order.indexOf(4)).toBeGreaterThan(order.indexOf(1));
  expect(tf.memory().numTensors).toBe(before);
  await expect(queue.write('', {})).rejects.toThrow();
  expect(await write(3)).toEqual(alone[3]);
  expect(tf.memory().numTensors).toBe(before);
});

test('where one fails the others end, and nothing stays', async () => {
  const before = tf.memory().numTensors;
  const options = { temperature: 0.9, seed: 1, maxNewTokens: 40 };
  await expect(
    generateTexts(model, tokenizer, ['abc', 'a'.repeat(80), 'b'], options),
  ).rejects.toThrow(/80/);
  expect(tf.memory().numTensors).toBe(before);
});
