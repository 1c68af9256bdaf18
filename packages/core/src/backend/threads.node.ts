import { withSharedMemory } from './shared-memory.js';

/** Threads that run at once. */
export async function machineThreads(): Promise<number> {
  return (await import('node:os')).availableParallelism();
}

/**
 * TensorFlow.js's wasm binary with SIMD, its memory one that threads share; undefined where it is not found, or is another one than is
 * known. TensorFlow.js has no threads in Node.
 *
 * @param paths where its files are said to lie: then they are taken as they are
 */
export async function sharedBinary(
  paths: string | Readonly<Record<string, string | undefined>> | undefined,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (paths !== undefined) return undefined;
  const [{ createRequire }, { readFile }, { dirname, join }] = await Promise.all([
    import('node:module'),
    import('node:fs/promises'),
    import('node:path'),
  ]);
  try {
    const main = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
    const file = await readFile(join(dirname(main), 'tfjs-backend-wasm-simd.wasm'));
    return withSharedMemory(Uint8Array.from(file));
  } catch {
    return undefined;
  }
}

/**
 * Starts a worker that runs a program in a scope of its own, and does not keep the process alive.
 *
 * @param program a function of the data, and of what tells that it has started
 * @param _fromFile of pages
 */
export async function startWorker(
  program: string,
  data: unknown,
  _fromFile?: () => Worker,
): Promise<void> {
  const { Worker } = await import('node:worker_threads');
  const start = `const { parentPort, workerData } = require('node:worker_threads');
    (${program})(workerData, () => parentPort.postMessage('started'));`;
  const worker = new Worker(start, { eval: true, workerData: data });
  await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  worker.unref();
}
