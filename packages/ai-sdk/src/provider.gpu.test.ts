import { createModel } from '@headwise/models';
import { generateText as headwiseText } from '@headwise/text';
import { ChatTemplate, trainCharacter } from '@headwise/tokenizers';
import {
  DirectChatTransport,
  generateText,
  Output,
  streamText,
  ToolLoopAgent,
  type UIMessage,
} from 'ai';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { languageModel } from './index.js';

const characters = [...Array(95)].map((_, i) => String.fromCharCode(32 + i)).join('');

test('a model on WebGPU answers, streams, writes JSON of a schema and chats with useChat’s transport', async () => {
  const tokenizer = await trainCharacter([`${characters}\n`]);
  const sizes = { n_positions: 128, n_embd: 16, n_layer: 1, n_head: 2, initializer_range: 0.5 };
  const { network, params } = createModel(
    { model_type: 'gpt2', vocab_size: tokenizer.vocabSize, ...sizes },
    { seed: 5 },
  );
  onTestFinished(() => params.dispose());
  const chatTemplate = new ChatTemplate({
    chat_template: '{% for m in messages %}<{{ m.role[0] }}>{{ m.content }}{% endfor %}<a>',
  });
  const text = { model: { network, chatTemplate }, tokenizer };
  const model = languageModel(text);
  const settings = { model, prompt: 'Call me', temperature: 0, maxOutputTokens: 10 };
  const expected = await headwiseText(
    text.model,
    tokenizer,
    [{ role: 'user', content: 'Call me' }],
    { temperature: 0, maxNewTokens: 10 },
  );
  expect((await generateText(settings)).text).toBe(expected);
  let streamed = '';
  for await (const delta of streamText(settings).textStream) streamed += delta;
  expect(streamed).toBe(expected);

  const output = Output.object({ schema: z.object({ is: z.enum(['whale', 'ship']) }) });
  const { output: made } = await generateText({ ...settings, maxOutputTokens: 40, output });
  expect(['whale', 'ship']).toContain(made.is);

  const agent = new ToolLoopAgent({ model, temperature: 0, maxOutputTokens: 10 });
  const messages: UIMessage<unknown, never, Record<never, never>>[] = [
    { id: '1', role: 'user', parts: [{ type: 'text', text: 'Call me' }] },
  ];
  const stream = await new DirectChatTransport({ agent }).sendMessages({
    ...{ chatId: 'c', messageId: undefined, trigger: 'submit-message', messages },
    abortSignal: undefined,
  });
  let said = '';
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    if (next.value.type === 'text-delta') said += next.value.delta;
  }
  expect(said).toBe(expected);
});
