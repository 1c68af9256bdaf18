import { withSharedMemory } from './shared-memory.js';

/** Threads that run at once. */
export async function machineThreads(): Promise<number> {
  return globalThis.navigator?.hardwareConcurrency ?? 1;
}

/**
 * TensorFlow.js's SIMD binary for wasm, with shared memory. Given in a cross-origin isolated page only; undefined elsewhere, and where the
 * file cannot be fetched.
 *
 * TensorFlow.js has a binary with threads of its own there, whose workers come from blobs, which a strict policy forbids.
 *
 * @param paths where its files lie: a folder, or addresses by name
 */
export async function sharedBinary(
  paths: string | Readonly<Record<string, string | undefined>> | undefined,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (!globalThis.crossOriginIsolated || paths === undefined) return undefined;
  const name = 'tfjs-backend-wasm-simd.wasm';
  const address =
    typeof paths === 'string' ? `${paths.replace(/[/\\]$/, '')}/${name}` : paths[name];
  try {
    const response = await fetch(address!);
    return response.ok ? withSharedMemory(new Uint8Array(await response.arrayBuffer())) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Starts a worker that runs a program in a scope of its own.
 *
 * @param program a function of the data, and of what tells that it has started
 * @param fromFile makes a worker of a file that holds the program; where it does not start, one of a blob is tried
 * @throws Error where none starts: a page's policy may forbid workers from blobs
 */
export async function startWorker(
  program: string,
  data: unknown,
  fromFile?: () => Worker,
): Promise<void> {
  try {
    if (fromFile) return await begun(fromFile(), data);
  } catch {
    // A bundler may have left the file behind, and one of another site is refused.
  }
  const start = `addEventListener('message', ({ data }) => (${program})(data, () => postMessage('started')));`;
  const address = URL.createObjectURL(new Blob([start], { type: 'text/javascript' }));
  try {
    await begun(new Worker(address), data);
  } finally {
    URL.revokeObjectURL(address);
  }
}

async function begun(worker: Worker, data: unknown): Promise<void> {
  worker.postMessage(data);
  try {
    await new Promise((resolve, reject) => {
      worker.onmessage = resolve;
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      };
    });
  } catch (error) {
    worker.terminate();
    throw error;
  }
}
