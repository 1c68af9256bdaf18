import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as tokenizers from './index.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

test('the program of the README prints what its comments say', async () => {
  const program = /```ts\n(.*?)```/s.exec(readme)![1]!;
  const printed: string[] = [];
  const print = (...values: unknown[]) => {
    printed.push(values.map((value) => JSON.stringify(value)).join(' '));
  };
  const body = program.replace(
    /import (\{[^}]*\}) from '@headwise\/tokenizers';/,
    'const $1 = tokenizers;',
  );
  const run = new Function('tokenizers', 'console', `return (async () => {${body}})()`);
  await run(tokenizers, { log: print });
  const expected = [...program.matchAll(/^console\.log.*\/\/ (.*)$/gm)].map(
    ([, comment]) => comment,
  );
  expect(printed).toEqual(expected);
});
