import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { FileError } from '@headwise/files';
import { DataError } from '../../errors.js';
import { type DedupSettings, type UnitTask, unitWorker } from './unit-work.js';
import type { Failure } from './worker.js';

/** Does tasks in some threads, or in this one. */
export interface WorkerPool {
  /** Does all tasks, in any order; calls `done` after each. The first failure ends it. */
  run(tasks: readonly UnitTask[], done: () => void): Promise<void>;
  close(): Promise<void>;
}

type Work = (task: UnitTask) => Promise<void>;

/** A pool of `workers` threads; with one worker everything happens in this thread. */
export function workerPool(folder: string, settings: DedupSettings, workers: number): WorkerPool {
  const threads =
    workers === 1
      ? []
      : Array.from(
          { length: workers },
          () =>
            new Worker(new URL('./worker.js', import.meta.url), {
              workerData: { folder, settings },
            }),
        );
  const works: Work[] =
    workers === 1 ? [unitWorker(folder, settings)] : threads.map((thread) => workOf(thread));
  return {
    async run(tasks, done) {
      const rest = tasks.values();
      let failed = false;
      const results = await Promise.allSettled(
        works.map(async (work) => {
          for (const task of rest) {
            if (failed) return;
            try {
              await work(task);
            } catch (error) {
              failed = true;
              throw error;
            }
            done();
          }
        }),
      );
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    },
    async close() {
      await Promise.all(threads.map((thread) => thread.terminate()));
    },
  };
}

function workOf(thread: Worker): Work {
  return async (task) => {
    thread.postMessage(task);
    // A thread that dies emits 'error', and `once` rejects with it.
    const [{ failed }] = (await once(thread, 'message')) as [{ failed?: Failure }];
    if (failed) throw errorOf(failed);
  };
}

/** An error of its kind again: messages between threads keep no classes. */
function errorOf({ name, message, path, reason, code }: Failure): Error {
  const cause = { cause: Object.assign(new Error(message), { code }) };
  if (name === 'DataError') return new DataError(message, cause);
  if (path !== undefined && reason !== undefined) return new FileError(path, reason, cause);
  return new Error(message, cause);
}
