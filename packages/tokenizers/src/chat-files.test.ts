import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findChatTemplate, loadChatTemplate } from './node.js';

async function folderOf(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chat-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

const messages = [{ role: 'user', content: 'Hi' }];
const config = JSON.stringify({
  bos_token: { content: '<s>' },
  chat_template: '{{ bos_token }}old {{ messages[0].content }}',
});

test('the template of tokenizer_config.json', async () => {
  const chat = await loadChatTemplate(await folderOf({ 'tokenizer_config.json': config }));
  expect(chat.applyChatTemplate(messages)).toBe('<s>old Hi');
});

test('chat_template.jinja stands before it, with its special tokens', async () => {
  const files = {
    'tokenizer_config.json': config,
    'chat_template.jinja': '{{ bos_token }}new {{ messages[0].content }}\n',
  };
  const chat = await loadChatTemplate(await folderOf(files));
  expect(chat.applyChatTemplate(messages)).toBe('<s>new Hi');
});

test('additional_chat_templates are known by their names', async () => {
  const files = {
    'chat_template.jinja': 'plain',
    'additional_chat_templates/tool_use.jinja': 'with {{ tools | length }}',
    'additional_chat_templates/rag.jinja': '{{ documents[0].text }}',
    'additional_chat_templates/README.md': 'not one',
  };
  const chat = await loadChatTemplate(await folderOf(files));
  expect(chat.names).toEqual(['default', 'rag', 'tool_use']);
  expect(chat.applyChatTemplate(messages)).toBe('plain');
  expect(chat.applyChatTemplate(messages, { tools: [{}] })).toBe('with 1');
  const documents = [{ title: 'A', text: 'B' }];
  expect(chat.applyChatTemplate(messages, { name: 'rag', documents })).toBe('B');
});

test('without any, the error says where it looked', async () => {
  const folder = await folderOf({ 'tokenizer_config.json': '{}' });
  await expect(loadChatTemplate(folder)).rejects.toThrow(
    `no chat template: looked in ${folder}/chat_template.jinja, ${folder}/additional_chat_templates and ` +
      `chat_template of ${folder}/tokenizer_config.json`,
  );
});

test('files that cannot be read are named', async () => {
  const folder = await folderOf({ 'tokenizer_config.json': '{' });
  await expect(loadChatTemplate(folder)).rejects.toThrow('tokenizer_config.json: is not JSON');
  const broken = await folderOf({ 'additional_chat_templates/rag.jinja': '{% if %' });
  await expect(loadChatTemplate(broken)).rejects.toThrow(
    `${broken}/additional_chat_templates/rag.jinja: cannot be read: line 1: `,
  );
  const failing = await folderOf({
    'chat_template.jinja': "{{ raise_exception('no system') }}",
    'tokenizer_config.json': config,
  });
  const chat = await loadChatTemplate(failing);
  expect(() => chat.applyChatTemplate(messages)).toThrow(`${failing}/chat_template.jinja: `);
  expect(() => chat.assistantTurns(messages)).toThrow(`${failing}/chat_template.jinja: `);
  await expect(findChatTemplate(failing, '{% if %')).rejects.toThrow(
    'chat template: cannot be read',
  );
});
