import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors } from '@headwise/safetensors';
import { expect, test } from 'vitest';
import { headwise, headwiseKilled, lossesOf, temporaryFolder, writeConfig } from './headwise.js';

const kills = 20;
const steps = 150;

test(`runs killed at ${kills} random moments end as an uninterrupted one`, async () => {
  const work = temporaryFolder();
  const config = writeConfig(work, ({ model, training }) => {
    Object.assign(model, { dropout: 0.1, dim: 32 });
    Object.assign(training, { steps, checkpointEvery: 3 });
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
  while (moments.length < kills) {
    const delay = Math.random() * whole;
    if (!(await headwiseKilled(train(folder()), delay))) {
      finish();
      continue;
    }
    expectWholeFiles(folder());
    moments.push(
      `${delay.toFixed(0)} ms: ${existsSync(folder()) ? lastStep(folder()) : 'nothing'}`,
    );
  }
  finish();
  console.log(`killed after (of ${whole.toFixed(0)} ms), steps then saved: ${moments.join(', ')}`);
}, 300_000);

/** Every file that is not temporary is whole. */
function expectWholeFiles(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name);
    if (name.endsWith('.safetensors')) readSafetensors(readFileSync(path), { name: path });
    else if (name.endsWith('.json')) JSON.parse(readFileSync(path, 'utf8'));
  }
}

function lastStep(folder: string): string {
  const path = join(folder, 'trainer', 'state.safetensors');
  if (!existsSync(path)) return '0';
  return readSafetensors(readFileSync(path), { name: path }).metadata.step!;
}
