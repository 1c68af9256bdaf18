import { once } from 'node:events';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { FileError } from '@headwise/files';
import { DataError } from '../errors.js';

/** Does one task. */
export interface Work<Task> {
  (task: Task): Promise<void>;
  /** Frees what it holds; in a thread, ending the thread does. */
  close?: (() => Promise<void>) | undefined;
}

/** Does tasks in some threads, or in this one. */
export interface WorkerPool<Task> {
  /** Does all tasks, in any order; calls `done` after each. The first failure ends it. */
  run(tasks: readonly Task[], done: () => void): Promise<void>;
  close(): Promise<void>;
}

/**
 * A pool of `workers` threads; with one worker everything happens in this thread.
 *
 * @param entry the module of a thread, which calls `serveTasks` with the same `workOf`
 * @param workOf makes what does the tasks of a run
 * @param data what `workOf` is called with, in a form that threads can exchange
 */
export function workerPool<Data, Task>(
  entry: URL,
  workOf: (data: Data) => Work<Task>,
  data: Data,
  workers: number,
): WorkerPool<Task> {
  const threads =
    workers === 1
      ? []
      : Array.from({ length: workers }, () => new Worker(entry, { workerData: data }));
  const works: Work<Task>[] = workers === 1 ? [workOf(data)] : threads.map(workInThread);
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
      for (const work of works) await work.close?.();
    },
  };
}

/** Makes this thread one of a pool: it does one task after the other, as it is told. */
export function serveTasks<Data, Task>(workOf: (data: Data) => Work<Task>): void {
  const work = workOf(workerData as Data);
  parentPort!.on('message', async (task: Task) => {
    try {
      await work(task);
      parentPort!.postMessage({});
    } catch (thrown) {
      parentPort!.postMessage({ failed: failureOf(thrown as Failure) });
    }
  });
}

function workInThread<Task>(thread: Worker): Work<Task> {
  return async (task) => {
    thread.postMessage(task);
    // A thread that dies emits 'error', and `once` rejects with it.
    const [{ failed }] = (await once(thread, 'message')) as [{ failed?: Failure }];
    if (failed) throw errorOf(failed);
  };
}

/** What a thread says of an error: messages between threads keep no classes. */
interface Failure {
  readonly name: string;
  readonly message: string;
  /** Of a `FileError`. */
  readonly path?: string | undefined;
  readonly reason?: string | undefined;
  /** The system's, with a code such as `ENOSPC`. */
  readonly cause?: { readonly code?: string | undefined } | undefined;
}

const failureOf = ({ name, message, path, reason, cause }: Failure): Failure => ({
  name,
  message,
  path,
  reason,
  cause: { code: cause?.code },
});

/** An error of its kind again. */
function errorOf({ name, message, path, reason, cause: system }: Failure): Error {
  const cause = { cause: Object.assign(new Error(message), { code: system?.code }) };
  if (name === 'DataError') return new DataError(message, cause);
  if (path !== undefined && reason !== undefined) return new FileError(path, reason, cause);
  return new Error(message, cause);
}
