import { type FileHandle, open, rm, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { LockedError, named } from './errors.js';

/** A lock that this process holds; the operating system releases it when the process ends. */
export interface Lock {
  release(): Promise<void>;
}

export interface LockOptions {
  /** Milliseconds to wait for a process that holds it; default 0. */
  patience?: number | undefined;
}

// The byte that is locked, beyond the text: where locks are mandatory, the text stays readable.
const place = { offset: 2 ** 40, length: 1 };
const interval = 20;

/**
 * Takes the lock of a file; the file is created if needed and removed with the lock.
 *
 * It is a lock of the kernel (`fcntl`, `flock`, `LockFileEx`): no process id is trusted, and no stale lock remains.
 *
 * @throws LockedError where another process holds it, FileError where the file cannot be made
 */
export async function lockFile(path: string, { patience = 0 }: LockOptions = {}): Promise<Lock> {
  const { tryLock } = await nativeLocks();
  const until = performance.now() + patience;
  for (;;) {
    const handle = await open(path, 'a+').catch((error) => {
      throw named(path, 'cannot be locked', error);
    });
    try {
      if (tryLock(handle.fd, place.offset, place.length)) {
        if (await isAt(path, handle)) return await taken(path, handle);
        // Its holder has removed it meanwhile: the next one is another file.
        await handle.close();
        continue;
      }
      if (performance.now() >= until) throw new LockedError(path, await holderOf(handle));
    } catch (error) {
      await handle.close();
      throw named(path, 'cannot be locked', error);
    }
    await handle.close();
    await sleep(interval);
  }
}

async function taken(path: string, handle: FileHandle): Promise<Lock> {
  await handle.truncate();
  await handle.write(String(process.pid), 0);
  return {
    async release() {
      try {
        // While the lock is held no other file can come to stand there.
        await rm(path, { force: true });
      } finally {
        await handle.close();
      }
    },
  };
}

async function holderOf(handle: FileHandle): Promise<string> {
  const pid = (await handle.readFile('utf8')).trim();
  return /^\d+$/.test(pid) ? `process ${pid}` : 'another process';
}

/** Whether a path still leads to an open file. */
async function isAt(path: string, handle: FileHandle): Promise<boolean> {
  const [there, open] = await Promise.all([
    stat(path, { bigint: true }).catch(() => undefined),
    handle.stat({ bigint: true }),
  ]);
  return there?.ino === open.ino && there.dev === open.dev;
}

interface NativeLocks {
  tryLock(fd: number, offset: number, length: number): boolean;
}

/** Node.js itself has no locks on files. */
async function nativeLocks(): Promise<NativeLocks> {
  try {
    // @ts-expect-error It comes without types.
    return (await import('fs-native-extensions')).default as NativeLocks;
  } catch (cause) {
    throw new Error(
      `files cannot be locked on ${process.platform}-${process.arch}: fs-native-extensions does not load: ${(cause as Error).message}`,
      { cause },
    );
  }
}
