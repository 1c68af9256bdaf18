import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { packageVersions } from '../src/ray/spec.js';
import { program, temporaryFolder } from './headwise.js';

/** A job of a cluster, in whose place this test starts it. */
function startJob(steps: number) {
  const work = temporaryFolder();
  const temporary = join(work, 'tmp');
  mkdirSync(temporary);
  const config = {
    model: { dim: 16, heads: 2, layers: 1 },
    data: { task: 'reverse', length: 3 },
    training: { steps, batchSize: 4, checkpointEvery: 5 },
  };
  const args = ['train', '--config', 'run.json', '--resume', '--json'];
  const spec = { versions: packageVersions(), node: process.version, args, out: { whole: true } };
  writeFileSync(join(work, 'run.json'), JSON.stringify(config));
  writeFileSync(join(work, 'job.json'), JSON.stringify(spec));
  const env = { ...process.env, HEADWISE_BACKEND: 'cpu', TMPDIR: temporary };
  const child = spawn(process.execPath, [program, 'job', 'job.json'], {
    ...{ cwd: work, env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let log = '';
  child.stdout.on('data', (text) => {
    log += text;
  });
  const ended = new Promise<number | null>((done) => child.on('close', done));
  return { child, temporary, ended, log: () => log };
}

const until = async (condition: () => boolean) => {
  while (!condition()) await sleep(20);
};

/** Whether a process runs; one that has ended and whose parent does not ask for its end counts as ended. */
const runs = (pid: number) =>
  existsSync(`/proc/${pid}/stat`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));

test.skipIf(process.platform !== 'linux')(
  'a job that is killed leaves no folder, and nothing that runs',
  async () => {
    const { child, temporary, ended, log } = startJob(100_000);
    await until(() => log().includes('@headwise {"type":"commit"'));
    const [folder] = readdirSync(temporary);
    expect(folder).toMatch(/^headwise-job-/);
    const lock = join(temporary, folder!, 'out/trainer/lock');
    const trainer = Number(readFileSync(lock, 'utf8'));
    expect(runs(trainer)).toBe(true);
    child.kill('SIGKILL');
    await ended;
    await until(() => readdirSync(temporary).length === 0 && !runs(trainer));
  },
);

test('a job that ends leaves no folder', async () => {
  const { temporary, ended, log } = startJob(5);
  expect(await ended).toBe(0);
  expect(log()).toContain('@headwise {"type":"end","code":0,"signal":null}');
  expect(readdirSync(temporary)).toEqual([]);
});
