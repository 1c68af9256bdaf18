import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LockedError, lockFile } from '@headwise/files';
import { expect, onTestFinished, test } from 'vitest';
import { headwise, headwiseHere, temporaryFolder, writeConfig } from './headwise.js';

const taker = fileURLToPath(new URL('take-lock.mjs', import.meta.url));

/** A process that takes a folder's lock so many times. */
function take(folder: string, times: number): ChildProcess & { ended: Promise<string> } {
  const child = spawn(process.execPath, [taker, folder, String(times)]);
  onTestFinished(() => void child.kill('SIGKILL'));
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text;
  });
  const ended = new Promise<string>((resolve) => {
    child.on('close', (code, signal) => resolve(signal ?? `${code}${errors}`));
  });
  return Object.assign(child, { ended });
}

const holds = (child: ChildProcess) =>
  new Promise<void>((resolve) => child.stdout!.once('data', () => resolve()));

test('of five processes one alone holds the lock, though some are killed with it, in 100 races', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'log'), '');
  const killed = new Set<number>();
  const steady = [25, 25, 25, 25].map((times) => take(folder, times));
  for (let i = 0; i < 6; i++) {
    const child = take(folder, 1000);
    await holds(child);
    child.kill('SIGKILL');
    expect(await child.ended).toBe('SIGKILL');
    killed.add(child.pid!);
  }
  expect(await Promise.all(steady.map(({ ended }) => ended))).toEqual(['0', '0', '0', '0']);
  let holder: string | undefined;
  let races = 0;
  for (const line of readFileSync(join(folder, 'log'), 'utf8').trim().split('\n')) {
    const [word, pid] = line.split(' ');
    if (word === 'in') {
      if (holder !== undefined)
        expect(killed, `${pid} comes in beside ${holder}`).toContain(Number(holder));
      holder = pid;
      races++;
    } else {
      expect(pid).toBe(holder);
      holder = undefined;
    }
  }
  expect(races).toBeGreaterThanOrEqual(100);
});

test('a second trainer is refused by name; what a killed one has left hinders nobody, whoever has its number', async () => {
  const work = temporaryFolder();
  const out = join(work, 'run');
  const args = ['train', '--config', writeConfig(work), '--out', out, '--resume'];
  expect((await headwiseHere(args)).code).toBe(0);
  const path = join(out, 'trainer', 'lock');
  // A number that this process has now.
  writeFileSync(path, String(process.pid));
  expect(headwise(args)).toMatchObject({ code: 0, stderr: '' });
  const lock = await lockFile(path);
  const second = headwise(args);
  expect(second).toMatchObject({ code: 2, stdout: '' });
  expect(second.stderr).toBe(`headwise: ${out}: process ${process.pid} trains there now\n`);
  await expect(lockFile(path)).rejects.toThrow(LockedError);
  await lock.release();
  expect(await headwiseHere(args)).toMatchObject({ code: 0, stderr: '' });
});
