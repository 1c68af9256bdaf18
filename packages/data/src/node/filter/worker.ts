import { parentPort, workerData } from 'node:worker_threads';
import { type FilterSettings, type FilterTask, filterWorker } from './unit-work.js';

/** What a thread says of an error. */
export interface Failure {
  readonly message: string;
}

// Runs in a thread of its own: does the work of one unit after the other, as it is told.
const { folder, settings } = workerData as { folder: string; settings: FilterSettings };
const work = filterWorker(folder, settings);

parentPort!.on('message', async (task: FilterTask) => {
  try {
    await work(task);
    parentPort!.postMessage({});
  } catch (error) {
    parentPort!.postMessage({ failed: { message: (error as Error).message } });
  }
});
