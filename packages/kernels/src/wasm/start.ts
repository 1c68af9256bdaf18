import { wantedThreads } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import { memoryOf, type WasmBackend } from './heap.js';
import { compileKernels } from './module.js';
import { registerWasmKernels } from './register.js';
import { useThreads } from './threads.js';

/**
 * Registers the kernels for the wasm backend in use, compiles them, and starts their threads.
 *
 * Where the engine has no SIMD, or the backend does not show its memory, its stock operations stay in use.
 *
 * @returns the threads that compute
 */
export async function startWasmKernels(threads: number | undefined): Promise<number> {
  const backend = tf.backend() as unknown as WasmBackend;
  if (!memoryOf(backend.wasm) || !registerWasmKernels()) return 1;
  await compileKernels(backend);
  return useThreads(backend, await wantedThreads(threads));
}
