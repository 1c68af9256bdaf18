import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, type TestContext, test } from 'vitest';
import { trainChatModel } from './chat-model.js';
import { headwiseHere, lossesOf, type Result, temporaryFolder, writeConfig } from './headwise.js';

const work = temporaryFolder();
const { model, chats } = await trainChatModel(work);
const config = writeConfig(join(work, 'run'));

/** Ten steps with a checkpoint after the fifth, which go on where the folder holds some of them. */
const commands: Record<string, (out: string) => string[]> = {
  train: (out) => [
    ...['train', '--config', config, '--out', out, '--resume'],
    ...['--set', 'training.steps=10', '--set', 'training.checkpointEvery=5'],
  ],
  finetune: (out) => [
    ...['finetune', '--model', model, '--data', chats, '--out', out, '--resume'],
    ...['--method', 'lora', '--steps', '10', '--checkpoint-every', '5', '--batch-size', '2'],
  ],
};

const stateOf = (out: string) => join(out, 'trainer/state.safetensors');

/** A disk without room says so, and what was saved before is whole. */
function expectNoRoom({ code, stderr }: Result, out: string): void {
  expect(stderr).toMatch(/cannot be written: ENOSPC: no space left on device, write/);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(code).toBe(1);
  expect(readdirSync(out).filter((name) => name.startsWith('.headwise'))).toEqual([]);
}

/** The last checkpoint stays, and the run goes on from it as one that was not interrupted. */
function expectKept(full: Result, out: string): void {
  expectNoRoom(full, out);
  expect(full.stderr).toContain(`headwise: ${out}: the last checkpoint is kept\n`);
  expect(lossesOf(out)).toHaveLength(5);
}

async function expectGoesOn(command: string, out: string): Promise<void> {
  expect(await headwiseHere(commands[command]!(out))).toMatchObject({ code: 0, stderr: '' });
  const roomy = join(work, `roomy-${command}`);
  if (!existsSync(roomy)) {
    expect(await headwiseHere(commands[command]!(roomy))).toMatchObject({ code: 0 });
  }
  expect(lossesOf(out)).toEqual(lossesOf(roomy));
}

/** Runs with room for a few kilobytes, which a lock fits in and a checkpoint does not, once a condition holds. */
async function withoutRoom<T>(isFull: () => boolean, run: () => Promise<T>): Promise<T> {
  const handle = await open(chats);
  const files = Object.getPrototypeOf(handle) as {
    write: (...args: unknown[]) => Promise<unknown>;
  };
  await handle.close();
  const { write } = files;
  let room = 4096;
  files.write = function (this: unknown, ...args) {
    if (isFull()) room -= Number(args[2] ?? (args[0] as Uint8Array).length);
    if (room > 0) return write.apply(this, args);
    const error = new Error('ENOSPC: no space left on device, write');
    return Promise.reject(Object.assign(error, { code: 'ENOSPC', errno: -28, syscall: 'write' }));
  };
  try {
    return await run();
  } finally {
    files.write = write;
  }
}

/** Runs with a disk of 4 MiB. */
async function onSmallDisk(
  { skip }: Pick<TestContext, 'skip'>,
  name: string,
  run: (disk: string) => Promise<void>,
): Promise<void> {
  const disk = join(work, name);
  mkdirSync(disk);
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]);
  skip(mount.status !== 0, 'needs the right to mount a small tmpfs');
  try {
    await run(disk);
  } finally {
    spawnSync('umount', ['--lazy', disk]);
  }
}

const filler = (disk: string) => join(disk, 'filler');

/** Fills a disk but for 8 kB. */
function fill(disk: string): void {
  const file = openSync(filler(disk), 'w');
  const block = Buffer.alloc(4096);
  let size = 0;
  try {
    for (;;) size += writeSync(file, block);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
  ftruncateSync(file, size - 2 * block.length);
  closeSync(file);
}

for (const [command, argsOf] of Object.entries(commands)) {
  test(`${command}: writes that fail while saving leave the last checkpoint, from which the run goes on`, async () => {
    const out = join(work, `failing-${command}`);
    const full = await withoutRoom(
      () => existsSync(stateOf(out)),
      () => headwiseHere(argsOf(out)),
    );
    expectKept(full, out);
    await expectGoesOn(command, out);
  });

  test(`${command}: a disk that is full from some step on, or from the start, loses nothing`, async (context) => {
    await onSmallDisk(context, `disk-${command}`, async (disk) => {
      const out = join(disk, 'out');
      let ended = false;
      const [full] = await Promise.all([
        headwiseHere(argsOf(out)).finally(() => {
          ended = true;
        }),
        (async () => {
          while (!existsSync(stateOf(out)) && !ended) await setTimeout(1);
          fill(disk);
        })(),
      ]);
      expectKept(full, out);
      rmSync(filler(disk));
      await expectGoesOn(command, out);

      fill(disk);
      const late = join(disk, 'late');
      const refused = await headwiseHere(argsOf(late));
      expectNoRoom(refused, late);
      expect(readdirSync(join(late, 'trainer'))).toEqual([]);
      rmSync(filler(disk));
      await expectGoesOn(command, late);
    });
  });
}
