import { startWorker, type Worker } from '@headwise/core/internal';
import type { WasmBackend } from './heap.js';
import { hasSharedMemory, type Kernels, kernelsOf, mostThreads } from './module.js';

/** What a worker does: text, as it runs in a scope of its own. */
const program = /* js */ `({ module, memory, control, number }, tell) => {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  exports.attach(control, number);
  tell('ready');
  exports.work();
}`;

const workers = new WeakMap<Kernels, Worker[]>();

/** Where the control block has the number of workers, in words. */
const workersWord = 5;

/**
 * Has kernels run on this many threads, the calling one included; starts workers, or ends some.
 *
 * @returns the number that it is: 1 where memory cannot be shared, or workers cannot be started
 */
export async function useThreads(backend: WasmBackend, wanted: number): Promise<number> {
  const kernels = kernelsOf(backend);
  if (!hasSharedMemory(backend)) return 1;
  const started = workers.get(kernels) ?? [];
  workers.set(kernels, started);
  while (started.length < Math.min(wanted, mostThreads) - 1) {
    const { module, memory, control } = kernels;
    const number = started.length + 1;
    try {
      const worker = await startWorker(program, { module, memory, control, number });
      await worker.told;
      started.push(worker);
    } catch {
      break;
    }
  }
  while (started.length > Math.max(0, wanted - 1)) started.pop()!.end();
  new Int32Array(kernels.memory.buffer, kernels.control, 16)[workersWord] = started.length;
  kernels.threads = 1 + started.length;
  return kernels.threads;
}
