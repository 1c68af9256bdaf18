import * as tf from '@tensorflow/tfjs';
import { memoryOf, type WasmBackend } from './heap.js';
import { compileKernels } from './module.js';
import { registerWasmKernels } from './register.js';

/**
 * Registers the kernels for the wasm backend in use, and compiles them.
 *
 * Where the engine has no SIMD, or the backend does not show its memory, its stock operations stay in use.
 */
export async function startWasmKernels(): Promise<void> {
  const backend = tf.backend() as unknown as WasmBackend;
  if (memoryOf(backend.wasm) && registerWasmKernels()) await compileKernels(backend);
}
