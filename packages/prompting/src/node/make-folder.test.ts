import { appendFileSync, mkdtempSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { load } from '@headwise/text/node';
import { afterAll, expect, test } from 'vitest';
import {
  localModel,
  noDuplicates,
  type PromptModel,
  preferences,
  responses,
  rewardJudge,
} from '../index.js';
import { type MakeFolderOptions, makeInFolder } from '../node.js';

const loaded = await load(fileURLToPath(new URL('../goldens/llama', import.meta.url)));
const model = localModel(loaded, { name: 'tiny', revision: 'r1', running: 3 });
afterAll(() => loaded.model.params.dispose());

const work = mkdtempSync(join(tmpdir(), 'headwise-make-'));
const queries = Array.from({ length: 5 }, (_, n) => ({
  place: `queries.jsonl:${n + 1}`,
  instruction: `Clause ${n}`,
}));
const options = { model, seed: 5, maxNewTokens: 3, keepUnfinished: true };
const read = (folder: string, name: string) => readFileSync(join(work, folder, name), 'utf8');
const names = ['examples.jsonl', 'left-out.jsonl', 'report.json', 'journal.jsonl'];
const make = (folder: string, more: Partial<MakeFolderOptions> = {}) =>
  makeInFolder(join(work, folder), responses(queries, { answers: 2 }), {
    ...options,
    filters: [noDuplicates()],
    ...more,
  });

test('the same seed makes the same files, however many run together; each row names its run, which has the date', async () => {
  const report = await make('whole');
  expect(report).toMatchObject({ recipe: 'responses', items: 5 });
  expect(report.kept + report.leftOut).toBe(10);
  await make('again', { together: 2 });
  for (const name of names) expect(read('again', name), name).toBe(read('whole', name));
  const run = JSON.parse(read('whole', 'run.json'));
  expect(run).toMatchObject({ model: { name: 'tiny', revision: 'r1' }, seed: 5 });
  expect(Date.parse(run.date)).toBeGreaterThan(0);
  const [first] = read('whole', 'examples.jsonl').split('\n');
  expect(JSON.parse(first!).made).toMatchObject({ run: run.id, source: 'queries.jsonl:1' });
  await make('other', { seed: 6 });
  expect(read('other', 'examples.jsonl')).not.toBe(read('whole', 'examples.jsonl'));
});

test('a run that ended anywhere goes on and ends with the same bytes; what is done is not made again', async () => {
  let left = 3;
  const failing: PromptModel = {
    ...model,
    write: (...given) => {
      if (left-- <= 0) throw new Error('the power went out');
      return model.write(...given);
    },
  };
  await expect(make('cut', { model: failing, together: 1 })).rejects.toThrow('the power went out');
  const journal = join(work, 'cut', 'journal.jsonl');
  const begun = read('cut', 'journal.jsonl');
  expect(begun.split('\n')).toHaveLength(2);
  const { date } = JSON.parse(read('cut', 'run.json'));
  // As a kill leaves it, within a line.
  appendFileSync(journal, read('whole', 'journal.jsonl').slice(begun.length, begun.length + 99));
  let asked = 0;
  const counting: PromptModel = {
    ...model,
    write: (...given) => {
      asked++;
      return model.write(...given);
    },
  };
  await make('cut', { model: counting });
  expect(asked).toBe(8);
  for (const name of names) expect(read('cut', name), name).toBe(read('whole', name));
  expect(JSON.parse(read('cut', 'run.json')).date).toBe(date);
  asked = 0;
  await make('cut', { model: counting });
  expect(asked).toBe(0);
});

test('a folder of another run, and one that is none, are refused', async () => {
  await expect(make('whole', { seed: 6 })).rejects.toThrow(
    "run.json: the run there has 'seed' 5; given is 6: give another folder, or what the run was begun with",
  );
  const judge = rewardJudge('short', (_, answer) => -answer.length);
  await expect(
    makeInFolder(join(work, 'whole'), preferences(queries, { judge }), options),
  ).rejects.toThrow(`the run there has 'recipe' "responses"`);
  const strange = mkdtempSync(join(work, 'strange-'));
  writeFileSync(join(strange, 'journal.jsonl'), '');
  await expect(makeInFolder(strange, responses(queries), options)).rejects.toThrow(
    'holds journal.jsonl but no run.json; expected an empty folder or a run to go on with',
  );
  await make('broken');
  truncateSync(join(work, 'broken', 'journal.jsonl'), 3);
  appendFileSync(join(work, 'broken', 'journal.jsonl'), '\n');
  await expect(make('broken')).rejects.toThrow(/journal\.jsonl:1: is not an entry/);
});

test('a signal ends the work with its reason, and the rest is made by the next call', async () => {
  const stop = new AbortController();
  const onProgress = ({ done }: { done: number }) => {
    if (done === 2) stop.abort(new Error('enough'));
  };
  await expect(make('stopped', { signal: stop.signal, onProgress, together: 2 })).rejects.toThrow(
    'enough',
  );
  await make('stopped');
  for (const name of names) expect(read('stopped', name), name).toBe(read('whole', name));
});
