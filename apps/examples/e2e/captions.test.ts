import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { fullOnly } from '@headwise/testing';
import { expect, test } from 'vitest';

const program = fileURLToPath(new URL('../dist/captions/captions.js', import.meta.url));
const source = fileURLToPath(new URL('../src/captions/captions.ts', import.meta.url));
const noDriver = { ...process.env, VK_DRIVER_FILES: '/none', VK_ICD_FILENAMES: '/none' };

test('the example has at most 100 lines', () => {
  expect(readFileSync(source, 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(100);
});

fullOnly(
  'a model trained for minutes names colours and shapes, and looks at them',
  async () => {
    const figure = join(mkdtempSync(join(tmpdir(), 'headwise-captions-')), 'figure.svg');
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, [program, '500', figure], { env: noDriver });
    const lines = stdout.matchAll(
      /^\w+: right ([\d.]+) %; ([\d.]+) % .*, ([\d.]+) % of the picture$/gm,
    );
    const found = [...lines].map((line) => line.slice(1).map(Number));
    expect(found).toHaveLength(2);
    for (const [right, share, area] of found) {
      expect(right).toBeGreaterThanOrEqual(95);
      expect(share).toBeGreaterThan(1.5 * area!);
    }
    expect(readFileSync(figure, 'utf8').match(/class="patches"/g)).toHaveLength(6);
  },
  1_200_000,
);
