import { randomUUID } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Folder } from '@headwise/files';
import { readSafetensors } from '@headwise/safetensors';
import { expect, inject, test } from 'vitest';
import {
  headwise,
  headwiseHere,
  headwiseKilled,
  jsonLines,
  lossesOf,
  temporaryFolder,
  writeConfig,
} from './headwise.js';

/** `pnpm test:full` kills more; every single change to the disk is killed in the test of files. */
const kills = inject('full') ? 6 : 1;
const steps = 40;

test(`a run killed at a random moment ends as an uninterrupted one, ${kills} of them`, async () => {
  const work = temporaryFolder();
  const config = writeConfig(work, ({ model, training }) => {
    Object.assign(model, { dropout: 0.1, dim: 32 });
    Object.assign(training, { steps, checkpointEvery: 4 });
  });
  const train = (folder: string) => ['train', '--config', config, '--out', folder, '--resume'];
  const straight = join(work, 'straight');
  const begun = performance.now();
  expect(headwise(train(straight)).code).toBe(0);
  const whole = performance.now() - begun;
  const expected = lossesOf(straight);
  expect(expected).toHaveLength(steps);

  const moments: string[] = [];
  let run = 0;
  const folder = () => join(work, `broken-${run}`);
  const finish = () => {
    const last = headwise(train(folder()));
    expect(last.stderr).toBe('');
    expect(last.code).toBe(0);
    const losses = lossesOf(folder());
    expect(losses).toHaveLength(steps);
    for (const [step, loss] of expected.entries()) {
      expect(Math.abs(losses[step]! - loss), `loss of step ${step}`).toBeLessThan(1e-5);
    }
    const left = readdirSync(folder(), { recursive: true, encoding: 'utf8' });
    expect(left.filter((name) => name.endsWith('.tmp'))).toEqual([]);
    run++;
  };
  const state = () => join(folder(), 'trainer', 'state.safetensors');
  const step = whole / steps;
  while (moments.length < kills) {
    // Every second run is killed after its first checkpoint, the others at any moment.
    const afterCheckpoint = moments.length % 2 === 0;
    const delay = Math.random() * (afterCheckpoint ? 8 * step : whole);
    const stopped = new AbortController();
    const moment = (async () => {
      while (afterCheckpoint && !existsSync(state())) {
        await setTimeout(2, undefined, { signal: stopped.signal });
      }
      await setTimeout(delay, undefined, { signal: stopped.signal });
    })().catch(() => {});
    const killed = await headwiseKilled(train(folder()), moment);
    stopped.abort();
    if (!killed) {
      finish();
      continue;
    }
    await expectWholeSet(folder());
    const when = afterCheckpoint ? 'after a checkpoint' : 'after the start';
    moments.push(`${delay.toFixed(0)} ms ${when}: ${lastStep(folder())}`);
  }
  finish();
  console.log(
    `killed (a run takes ${whole.toFixed(0)} ms), steps then saved: ${moments.join(', ')}`,
  );
}, 300_000);

/** What a reader finds is of one moment: every file as it was saved, the model that of the state, its losses beside it. */
async function expectWholeSet(path: string): Promise<void> {
  const folder = await Folder.open(path);
  if (folder.commitId === undefined) return;
  for (const name of await folder.names()) await folder.check(name);
  const [state, model, history] = await Promise.all(
    ['trainer/state.safetensors', 'model.safetensors', 'trainer/history.jsonl'].map((name) =>
      folder.read(name),
    ),
  );
  if (!state) return;
  const [saved, weights] = [readSafetensors(state), readSafetensors(model!)];
  const of = 'transformer.ln_f.weight';
  expect(weights.get(of).data).toEqual(saved.get('params.norm.weight').data);
  const losses = jsonLines(new TextDecoder().decode(history)).filter((line) => 'loss' in line);
  expect(losses).toHaveLength(Number(saved.metadata.step));
}

function lastStep(folder: string): string {
  const path = join(folder, 'trainer', 'state.safetensors');
  if (!existsSync(path)) return '0';
  return readSafetensors(readFileSync(path), { name: path }).metadata.step!;
}

const work = temporaryFolder();
const config = writeConfig(work);
const resume = (folder: string, ...more: string[]) =>
  headwiseHere(['train', '--config', config, '--out', folder, '--resume', ...more]);
const complete = join(work, 'complete');

/** A copy of a run of 12 steps, with checkpoints after 4, 8 and 12. */
async function copy(name: string): Promise<string> {
  if (!existsSync(complete)) expect(await resume(complete)).toMatchObject({ code: 0, stderr: '' });
  const folder = join(work, name);
  cpSync(complete, folder, { recursive: true });
  return folder;
}

function flip(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length - 5]! ^= 4;
  writeFileSync(path, bytes);
}

test('a complete run whose model is gone or damaged gets it back', async () => {
  for (const [name, harm] of [
    ['gone', (path: string) => rmSync(path)],
    ['damaged', flip],
  ] as const) {
    const folder = await copy(name);
    harm(join(folder, 'model.safetensors'));
    const { code, stderr, stdout } = await resume(folder);
    expect(code).toBe(0);
    expect(stderr).toBe(
      `headwise: ${folder}: the model is missing or damaged; it is written anew\n`,
    );
    expect(stdout).toContain('complete at step 12 of 12');
    const model = (path: string) => readFileSync(join(path, 'model.safetensors'));
    expect(model(folder)).toEqual(model(complete));
  }
});

test('from a damaged state a run goes back to the one before it; without either it is refused', async () => {
  const folder = await copy('flipped');
  const state = (which = '') => join(folder, 'trainer', `state${which}.safetensors`);
  flip(state());
  const again = await resume(folder);
  expect(again.stderr).toMatch(/state\.safetensors: has the SHA-256 .*checkpoint before it\n$/);
  expect(again.stdout).toContain('resumes at step 8 of 12');
  expect(again.code).toBe(0);
  for (const [step, loss] of lossesOf(complete).entries()) {
    expect(lossesOf(folder)[step]).toBeCloseTo(loss, 5);
  }
  expect(lastStep(folder)).toBe('12');
  flip(state());
  flip(state('-before'));
  const neither = await resume(folder);
  expect(neither.code).toBe(2);
  expect(neither.stderr).toMatch(/state\.safetensors: has the SHA-256 .*; .* was saved/);
});

test('another text or another tokenizer than the run was begun with is refused', async () => {
  const folder = await copy('other-inputs');
  const text = readFileSync(join(work, 'corpus.txt'), 'utf8');
  writeFileSync(join(work, 'corpus.txt'), text.replace('whale', 'shark'));
  const other = await resume(folder, '--set', 'training.steps=16');
  expect(other).toMatchObject({ code: 2, stdout: '' });
  expect(other.stderr).toMatch(
    /the run there was trained on a text with the SHA-256 [\da-f]{64}; 'data\.corpus' .*corpus\.txt has [\da-f]{64}/,
  );
  writeFileSync(join(work, 'corpus.txt'), text);
  const tokenizer = join(folder, 'tokenizer.json');
  writeFileSync(tokenizer, `${readFileSync(tokenizer, 'utf8')}\n`);
  const changed = await resume(folder);
  expect(changed).toMatchObject({ code: 2, stdout: '' });
  expect(changed.stderr).toContain(`${tokenizer}: has `);
});

test('lines of the history that cannot be read are left out', async () => {
  const folder = await copy('history');
  const path = join(folder, 'trainer', 'history.jsonl');
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  writeFileSync(path, `null\n{"step": 1, "loss": null}\n${lines.join('\n')}\n{"step"`);
  const { code, stderr, stdout } = await resume(folder);
  expect(stderr).toContain(`${path}: leaves out 3 lines that cannot be read\n`);
  expect(stdout).toContain('validation after 12 steps: loss ');
  expect(code).toBe(0);
});

test('a generation_config.json that is no JSON is told of and written anew, and one that was changed stays', async () => {
  const folder = await copy('generation');
  const path = join(folder, 'generation_config.json');
  const whole = readFileSync(path, 'utf8');
  writeFileSync(path, whole.slice(0, 20));
  const { code, stderr } = await resume(folder);
  expect(stderr).toMatch(/generation_config\.json: is not JSON: .*; it is written anew\n$/);
  expect(code).toBe(0);
  expect(readFileSync(path, 'utf8')).toBe(whole);
  writeFileSync(path, '{"top_k": 7}');
  expect(await resume(folder)).toMatchObject({ code: 0, stderr: '' });
  expect(readFileSync(path, 'utf8')).toBe('{"top_k": 7}');
});

test('a run killed before its configuration was written is begun', async () => {
  for (const [i, left] of [['trainer/lock'], ['trainer/lock', '.headwise-lock']].entries()) {
    const folder = join(work, `begun-${i}`);
    mkdirSync(join(folder, 'trainer'), { recursive: true });
    for (const name of left) writeFileSync(join(folder, name), '12345');
    mkdirSync(join(folder, `.headwise-${randomUUID()}`));
    expect(await resume(folder)).toMatchObject({ code: 0, stderr: '' });
    expect(lossesOf(folder)).toHaveLength(12);
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  }
});

test('a step that diverges before a checkpoint is not a fault of the input', async () => {
  const folder = join(work, 'diverged-early');
  const wild = [
    'training.learningRate=1e300',
    'training.warmupSteps=0',
    'training.checkpointEvery=1',
  ];
  const { code, stderr } = await resume(folder, ...wild.flatMap((change) => ['--set', change]));
  expect(stderr).toMatch(/there is no checkpoint yet\nheadwise: .*diverged in step 0: tensor/);
  expect(code).toBe(1);
});

test('a last step that diverges ends clearly, and the checkpoint before it stays', async () => {
  const folder = join(work, 'diverged');
  const set = (...changes: string[]) => changes.flatMap((change) => ['--set', change]);
  const rates = ['training.learningRate=0.01', 'training.minLearningRate=0'];
  expect(
    await resume(folder, ...set(...rates, 'training.steps=8', 'training.warmupSteps=0')),
  ).toMatchObject({ code: 0 });
  const before = readFileSync(join(folder, 'model.safetensors'));
  const wild = ['training.learningRate=1e37', 'training.minLearningRate=1e37'];
  const { code, stderr, stdout } = await resume(
    folder,
    ...set(...wild, 'training.steps=9', 'training.warmupSteps=0'),
  );
  expect(stdout).toContain('resumes at step 8 of 9');
  expect(stderr).toMatch(/the last checkpoint is kept\nheadwise: .*(diverged|not finite)/);
  expect(stderr).not.toMatch(/\n\s+at |TypeError/);
  expect(code).toBe(1);
  expect(readFileSync(join(folder, 'model.safetensors'))).toEqual(before);
  expect(lastStep(folder)).toBe('8');
});
