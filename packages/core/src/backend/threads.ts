import type { Worker as StartedWorker } from './worker.js';

/** Threads that run at once. */
export async function machineThreads(): Promise<number> {
  return globalThis.navigator?.hardwareConcurrency ?? 1;
}

/** Nothing: TensorFlow.js has a binary with threads where a page is cross-origin isolated. */
export async function sharedBinary(): Promise<string | undefined> {
  return undefined;
}

/** A worker that runs a program in a scope of its own. */
export async function startWorker(program: string, data: unknown): Promise<StartedWorker> {
  const start = `onmessage = ({ data }) => (${program})(data, (message) => postMessage(message));`;
  const address = URL.createObjectURL(new Blob([start], { type: 'text/javascript' }));
  const worker = new Worker(address);
  const told = new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    // A page's security policy may forbid workers that no file holds.
    worker.onerror = ({ message }) => reject(new Error(message));
  });
  worker.postMessage(data);
  return {
    told: told.finally(() => URL.revokeObjectURL(address)),
    end: () => worker.terminate(),
  };
}
