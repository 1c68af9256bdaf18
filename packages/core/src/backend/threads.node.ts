/** Threads that run at once. */
export async function machineThreads(): Promise<number> {
  return (await import('node:os')).availableParallelism();
}

/**
 * The address of TensorFlow.js's wasm backend with SIMD, its memory declared as one that threads share; undefined where it is not
 * found, or is another one than is known.
 *
 * TensorFlow.js has no threads in Node. Its code does not need to know: only the flag of the memory's limits changes.
 */
export async function sharedBinary(): Promise<string | undefined> {
  const [{ createRequire }, { readFile }, { dirname, join }] = await Promise.all([
    import('node:module'),
    import('node:fs/promises'),
    import('node:path'),
  ]);
  try {
    const main = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
    const bytes = await readFile(join(dirname(main), 'tfjs-backend-wasm-simd.wasm'));
    const flag = memoryFlag(bytes);
    if (bytes[flag] !== 1) return undefined;
    bytes[flag] = 3;
    return `data:application/wasm;base64,${bytes.toString('base64')}`;
  } catch {
    return undefined;
  }
}

/** Where the flags of the first memory lie: 1 for limits from least to most. */
function memoryFlag(bytes: Uint8Array): number {
  const memorySection = 5;
  let at = 8;
  while (at < bytes.length) {
    const id = bytes[at++];
    let size = 0;
    for (let shift = 0, more = true; more; shift += 7) {
      const byte = bytes[at++]!;
      size |= (byte & 127) << shift;
      more = byte > 127;
    }
    if (id === memorySection) return at + 1;
    at += size;
  }
  return -1;
}

/**
 * Starts a worker that runs a program in a scope of its own, and does not keep the process alive.
 *
 * @param program a function of the data, and of what tells that it has started
 */
export async function startWorker(program: string, data: unknown): Promise<void> {
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
