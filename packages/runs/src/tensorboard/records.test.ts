import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import golden from '../goldens/tensorboard.json' with { type: 'json' };
import type { HistoryEntry } from '../history.js';
import { withTensorBoard } from '../node/tensorboard.js';
import { eventRecord, type TensorBoardEvent } from './records.js';

const step = { loss: 2, gradientNorm: 1, learningRate: 0.1, ms: 500, tokens: 64 };

/** A storage that keeps what is noted. */
const storageOf = (noted: HistoryEntry[]) => ({
  state: async () => undefined,
  rewind: async () => ({ validated: false }),
  note: (entry: HistoryEntry) => void noted.push(entry),
  save: async () => {},
});

test('records are those of TensorBoard, byte by byte', () => {
  const [{ events, file }] = golden.cases as unknown as [
    { events: TensorBoardEvent[]; file: string },
  ];
  expect(Buffer.concat(events.map(eventRecord)).toString('base64')).toBe(file);
});

test('a run’s steps and validations are in an event file, and what a resumed run makes again is void', async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'headwise-events-')), 'logs', 'first');
  const noted: HistoryEntry[] = [];
  const storage = storageOf(noted);
  const first = withTensorBoard(storage, folder);
  await first.rewind(0);
  first.note({ step: 0, ...step, measures: { reward: 0.5 } });
  first.note({ step: 1, validation: { loss: 3 } });
  first.note({ step: 1, sample: { prompt: 'a', text: 'b', temperature: 0 } });
  const second = withTensorBoard(storage, folder);
  await second.rewind(1);
  second.note({ step: 1, ...step });
  expect(noted).toHaveLength(4);

  const files = readdirSync(folder).sort();
  expect(files).toHaveLength(2);
  const [before, after] = files.map((name) => readFileSync(join(folder, name)).toString('latin1'));
  const tags = ['loss', 'gradient_norm', 'learning_rate', 'predicted_per_second', 'reward'];
  for (const tag of tags) expect(before).toContain(`train/${tag}`);
  expect(before).toContain('validation/loss');
  expect(before).not.toContain('sample');
  // An event at step 2 whose session log says START.
  expect(after).toContain('\x10\x02\x3a\x02\x08\x01');

  writeFileSync(join(folder, 'file'), '');
  const refused = withTensorBoard(storage, join(folder, 'file'));
  await expect(refused.rewind(0)).rejects.toThrow(/file.*cannot be written/);
});

test('a run whose events cannot be written any more is warned once and goes on', async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'headwise-events-')), 'logs');
  const noted: HistoryEntry[] = [];
  const warnings: string[] = [];
  const events = withTensorBoard(storageOf(noted), folder, { warn: (text) => warnings.push(text) });
  await events.rewind(0);
  events.note({ step: 0, ...step });
  const [name] = readdirSync(folder) as [string];
  // A folder in the place of the file: as on a full disk, nothing can be appended to it.
  renameSync(join(folder, name), join(folder, 'before'));
  mkdirSync(join(folder, name));
  for (const number of [1, 2]) events.note({ step: number, ...step });
  expect(noted).toHaveLength(3);
  expect(warnings).toEqual([
    expect.stringMatching(
      /tfevents.*: cannot be written \(.*\); the run goes on without events for TensorBoard$/,
    ),
  ]);
});
