import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, inject, test } from 'vitest';

const run = promisify(execFile);
const main = fileURLToPath(new URL('../dist/made-data/main.js', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'headwise-made-data-'));
afterAll(() => rmSync(work, { recursive: true }));

/** Runs the program, and gives its folder. */
async function made(name: string, ...given: string[]): Promise<string> {
  const folder = join(work, name);
  await run(process.execPath, [main, folder, '1', ...given]);
  return folder;
}

// In `npm test` a tenth of the steps shows whether bytes are the same; of the gains it says nothing.
const full = inject('full');
const share = full ? [] : ['0.1'];
if (!full) console.log('a tenth of the program is run twice; `pnpm test:full` runs it whole twice');

const numbersOf = (folder: string) =>
  JSON.parse(readFileSync(join(folder, 'numbers.json'), 'utf8'));

interface Condition {
  readonly condition: string;
  readonly accuracy: number;
  readonly low: number;
  readonly high: number;
}

test('documents alone teach to answer, and preferences how: each step gains on instructions that nothing was trained on', async () => {
  const { conditions, comparisons, kept, pairs } = numbersOf(await made('whole'));
  console.log(JSON.stringify({ conditions, kept, pairs: pairs.kept }));
  const [first, tuned, preferred] = conditions as [Condition, Condition, Condition];
  expect(conditions.map((one: Condition) => one.condition)).toEqual([
    'first model',
    'fine-tuned',
    'after DPO',
  ]);
  // The documents are calm or loud by chance, and only calm answers are right.
  expect(first.high).toBeLessThan(tuned.low);
  expect(preferred.accuracy).toBeGreaterThan(tuned.accuracy + 0.1);
  expect(comparisons).toHaveLength(3);
  for (const { adjusted } of comparisons) expect(adjusted).toBeLessThan(0.01);
  // Nine of ten instructions that are kept are those that the documents were made of.
  expect(kept[0] / kept[1]).toBeGreaterThanOrEqual(0.9);
}, 900_000);

/** The files of a folder and its folders. */
function filesOf(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  return files.map((path) => path.slice(folder.length + 1)).sort();
}

test('the same seed makes the same files byte for byte', async () => {
  const [one, two] = await Promise.all([made('one', ...share), made('two', ...share)]);
  // Every part of the program has something to do.
  const { instructions, pairs } = numbersOf(one);
  expect(Math.min(instructions.kept, instructions.leftOut, pairs.kept)).toBeGreaterThan(0);
  const files = filesOf(one);
  expect(filesOf(two)).toEqual(files);
  const differ = files.filter(
    (name) => !readFileSync(join(one, name)).equals(readFileSync(join(two, name))),
  );
  expect(files.length).toBeGreaterThan(10);
  // These say when something was made, how long steps took, and the hash of what says it.
  const timed =
    /^(instructions|preferences)\/run\.json$|^(sft|dpo)\/(trainer\/history\.jsonl|headwise-manifest\.json)$/;
  expect(differ.filter((name) => !timed.test(name))).toEqual([]);
}, 900_000);
