import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { englishWords } from './english-words.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

test('words that were seen keep no text in memory', () => {
  const held = () => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const take = (n: number) =>
    englishWords(`${'Call me Ishmael. '.repeat(1000)}mate${n}.of.the@pequod.example`);
  take(0);
  const before = held();
  for (let n = 1; n <= 1500; n++) take(n);
  // The texts have 25 MB.
  expect(held() - before).toBeLessThan(4e6);
});
