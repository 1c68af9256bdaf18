import { expect, test } from 'vitest';
import { folderAddress } from './address.js';

const page = 'https://example.org/lab/index.html';
const of = (text: string) => folderAddress(text, page);
const hub = 'https://huggingface.co';

test('a model of the hub is found by its name, its page, or any address below it', () => {
  const gpt2 = `${hub}/openai-community/gpt2/resolve/main`;
  expect(of('gpt2')).toBe(`${hub}/gpt2/resolve/main`);
  for (const text of [
    'openai-community/gpt2',
    ' openai-community/gpt2\n',
    'huggingface.co/openai-community/gpt2',
    'hf.co/openai-community/gpt2',
    `${hub}/openai-community/gpt2`,
    `${hub}/openai-community/gpt2/`,
    `${hub}/openai-community/gpt2?library=transformers`,
    `${hub}/openai-community/gpt2/tree/main`,
    `${hub}/openai-community/gpt2/blob/main/config.json`,
    `${hub}/openai-community/gpt2/resolve/main`,
    `${hub}/openai-community/gpt2/resolve/main/`,
    `${hub}/openai-community/gpt2/resolve/main/model.safetensors`,
  ]) {
    expect(of(text), text).toBe(gpt2);
  }
  expect(of(`${hub}/gpt2`)).toBe(`${hub}/gpt2/resolve/main`);
  expect(of(`${hub}/a/b/tree/v1.0/sub`)).toBe(`${hub}/a/b/resolve/v1.0/sub`);
  expect(of(`${hub}/a/b/tree/v1.0`)).toBe(`${hub}/a/b/resolve/v1.0`);
});

test('what lies beside the lab, or elsewhere, is taken as it is', () => {
  expect(of('models/moby-dick')).toBe('https://example.org/lab/models/moby-dick');
  expect(of('./own/folder')).toBe('https://example.org/lab/own/folder');
  expect(of('/own')).toBe('https://example.org/own');
  expect(of('https://example.org/m/')).toBe('https://example.org/m/');
});

test('an invalid address is refused with what to type instead', () => {
  for (const text of ['', '  ', 'my model', 'ftp://a/b', 'data:,x', `${hub}/datasets/a/b`, hub]) {
    expect(() => of(text), text).toThrow('gpt2 or owner/name');
  }
});
