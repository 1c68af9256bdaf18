// Takes the lock of a folder again and again, and writes down when it has it: `in PID`, then `out PID`.
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LockedError, lockFile } from '@headwise/files';

const [folder, times] = process.argv.slice(2);
const log = join(folder, 'log');
const said = (word) => appendFileSync(log, `${word} ${process.pid}\n`);
for (let taken = 0; taken < Number(times); ) {
  try {
    const lock = await lockFile(join(folder, 'lock'));
    said('in');
    process.stdout.write('.');
    await sleep(Math.random() * 4);
    const last = readFileSync(log, 'utf8').trim().split('\n').at(-1);
    if (last !== `in ${process.pid}`) throw new Error(`not alone: the last line is ${last}`);
    said('out');
    await lock.release();
    taken++;
  } catch (error) {
    if (!(error instanceof LockedError)) throw error;
    await sleep(Math.random() * 3);
  }
}
