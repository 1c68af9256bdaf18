import { startWorker } from '@headwise/core/internal';
import type { WasmBackend } from './heap.js';
import { hasSharedMemory, kernelsOf, mostThreads } from './module.js';

/** What a worker does: text, as it runs in a scope of its own; `worker.js` of the package holds it too. */
export const program: string = /* js */ `({ module, memory, control, number }, started) => {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  exports.attach(control, number);
  started();
  exports.work();
}`;

/** A worker of the file, which pages whose policy forbids blobs need; bundlers know it by this form. */
const fromFile = () => new Worker(new URL('../../worker.js', import.meta.url), { type: 'module' });

/** Words of the control block: the number of workers in use, and whether the calling thread may sleep. */
const [workersWord, sleepsWord] = [5, 6];

/**
 * Sets the number of threads that run kernels, the calling one included, and starts missing workers.
 *
 * @returns the number of threads in use: 1 where memory cannot be shared or no worker starts
 */
export async function useThreads(backend: WasmBackend, wanted: number): Promise<number> {
  const kernels = kernelsOf(backend);
  if (!hasSharedMemory(backend)) return 1;
  const { module, memory, control } = kernels;
  while (kernels.threads < Math.min(wanted, mostThreads)) {
    try {
      const data = { module, memory, control, number: kernels.threads };
      await startWorker(program, data, fromFile);
    } catch {
      break;
    }
    kernels.threads++;
  }
  const used = Math.min(kernels.threads, wanted);
  const words = new Int32Array(memory.buffer, control, 16);
  words[workersWord] = used - 1;
  words[sleepsWord] = 'document' in globalThis ? 0 : 1;
  return used;
}
