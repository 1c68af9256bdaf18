import { expect, test } from 'vitest';
import { type ChatMessage, ChatTemplate } from './chat-template.js';
import { published, readGolden } from './goldens/read.node.js';

interface Goldens {
  configs: Record<string, unknown>;
  chats: Record<string, ChatMessage[]>;
  tools: unknown[];
  cases: { config: string; chat: string; prompt: boolean; tools: boolean; text: string | null }[];
}

const goldens = readGolden<Goldens>('chats');

test.each(goldens.cases)('$config, $chat, prompt $prompt, tools $tools: as Jinja', (golden) => {
  const template = new ChatTemplate(goldens.configs[golden.config]);
  const apply = () =>
    template.applyChatTemplate(goldens.chats[golden.chat]!, {
      addGenerationPrompt: golden.prompt,
      ...(golden.tools && { tools: goldens.tools }),
    });
  if (golden.text === null) expect(apply).toThrow('tokenizer_config.json.chat_template: ');
  else expect(apply()).toBe(golden.text);
});

test('the text of a chat becomes special tokens', () => {
  const template = new ChatTemplate(goldens.configs.llama3);
  const tokenizer = published('llama3');
  const text = template.applyChatTemplate([{ role: 'user', content: 'Hi' }]);
  const { tokens } = tokenizer.encode(text, { addSpecialTokens: false });
  expect(tokens.slice(0, 4)).toEqual([
    '<|begin_of_text|>',
    '<|start_header_id|>',
    'user',
    '<|end_header_id|>',
  ]);
});

test('one of several templates is used, tool_use where there are tools', () => {
  const template = new ChatTemplate({
    chat_template: [
      { name: 'default', template: 'plain {{ messages[0].content }}{{ extra }}' },
      { name: 'tool_use', template: 'with {{ tools | length }} tools' },
    ],
  });
  const messages = [{ role: 'user', content: 'Hi' }];
  expect(template.applyChatTemplate(messages, { variables: { extra: '!' } })).toBe('plain Hi!');
  expect(template.applyChatTemplate(messages, { tools: [1, 2] })).toBe('with 2 tools');
  expect(() => template.applyChatTemplate(messages, { name: 'rag' })).toThrow(
    'name is "rag"; expected default or tool_use',
  );
});

test.each<[string, () => unknown, string]>([
  ['no template', () => new ChatTemplate({}), 'tokenizer_config.json.chat_template is missing'],
  [
    'a broken template',
    () => new ChatTemplate({ chat_template: '{% if %' }),
    'chat_template: cannot be read',
  ],
  [
    'a number',
    () => new ChatTemplate({ chat_template: 7 }),
    'chat_template is 7; expected a string',
  ],
  [
    'messages that are none',
    () => new ChatTemplate({ chat_template: '' }).applyChatTemplate('Hi' as never),
    'messages is "Hi"; expected an array',
  ],
])('%s is refused', (_, act, message) => {
  expect(act).toThrow(message);
});
