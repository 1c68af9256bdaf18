import { parentPort, workerData } from 'node:worker_threads';
import { type DedupSettings, type UnitTask, unitWorker } from './unit-work.js';

/** What a thread says of an error. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  /** Of a `FileError`. */
  readonly path?: string | undefined;
  readonly reason?: string | undefined;
  /** The system's code, such as `ENOSPC`. */
  readonly code?: string | undefined;
}

// Runs in a thread of its own: does the work of one unit after the other, as it is told.
const { folder, settings } = workerData as { folder: string; settings: DedupSettings };
const work = unitWorker(folder, settings);

parentPort!.on('message', async (task: UnitTask) => {
  try {
    await work(task);
    parentPort!.postMessage({});
  } catch (thrown) {
    const { name, message, path, reason, cause } = thrown as Failure & { cause?: { code: string } };
    parentPort!.postMessage({ failed: { name, message, path, reason, code: cause?.code } });
  }
});
