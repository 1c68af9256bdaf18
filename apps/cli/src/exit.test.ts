import { InputError } from '@headwise/core';
import { FileError } from '@headwise/files';
import { SafetensorsError } from '@headwise/safetensors';
import { TokenizerError } from '@headwise/tokenizers';
import { expect, test } from 'vitest';
import { exitCodeOf } from './exit.js';

const system = (code: string) =>
  Object.assign(new Error(`${code}: write`), { code, syscall: 'write' });

test.each<[string, 1 | 2]>([
  ['ENOSPC', 1],
  ['EDQUOT', 1],
  ['EIO', 1],
  ['EMFILE', 1],
  ['ENOENT', 2],
  ['EACCES', 2],
  ['EISDIR', 2],
])('%s ends with %d, however deep it lies', (code, expected) => {
  const file = new FileError('a', 'cannot be written', { cause: system(code) });
  expect(exitCodeOf(file)).toBe(expected);
  for (const kind of [InputError, TokenizerError]) {
    expect(exitCodeOf(new kind('a', { cause: file }))).toBe(expected);
  }
  expect(exitCodeOf(new SafetensorsError('a', undefined, 'b', { cause: file }))).toBe(expected);
});

test('what is wrong with the input is 2, what is not foreseen 1', () => {
  expect(exitCodeOf(new InputError('a'))).toBe(2);
  expect(exitCodeOf(new TypeError('a'))).toBe(1);
  expect(exitCodeOf(undefined)).toBe(1);
});
