// Loads onnxruntime from here, where it is installed: `node` is the native package, `web` the one for browsers; and transformers.js.
import { createRequire } from 'node:module';

export const node = () => import('onnxruntime-node');

export const web = () => import('onnxruntime-web/webgpu');

/** Where the WebAssembly of `web` lies. */
export const wasmPath = () =>
  createRequire(import.meta.url).resolve('onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm');

/** Takes the onnxruntime that lies at `globalThis[Symbol.for('onnxruntime')]` when it is first loaded. */
export const transformers = () => import('@huggingface/transformers');
