import { readFileSync } from 'node:fs';
import { cases } from '@headwise/testing';
import { expect, test } from 'vitest';

const build = import(new URL('../../assembly/build.mjs', import.meta.url).href);
const committed = readFileSync(new URL('./binary.ts', import.meta.url), 'utf8');
const hint = 'run `pnpm assemble` in packages/kernels';

test('the binary was made of the sources beside it', async () => {
  expect(committed.includes((await build).hashOfSources()), hint).toBe(true);
});

// The compiler takes seconds.
for (const name of cases(['the binary is what its sources compile to'], () => false)) {
  test(name, async () => {
    // Not `toBe` of the texts: nobody reads the difference of two binaries.
    expect(committed === (await (await build).sourceOfBinary()), hint).toBe(true);
  });
}
