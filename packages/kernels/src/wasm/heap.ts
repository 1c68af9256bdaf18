import type * as tf from '@tensorflow/tfjs';

/** What kernels use of TensorFlow.js's wasm backend: its memory, and where tensors lie in it. */
export interface WasmBackend {
  wasm: EmscriptenModule;
  dataIdMap: { get(dataId: object): { memoryOffset: number; refCount: number } };
  makeOutput(shape: number[], dtype: tf.DataType): tf.TensorInfo;
  incRef(dataId: object): void;
  disposeData(dataId: object): boolean;
}

/** The parts of an Emscripten module that do not depend on its version. */
export interface EmscriptenModule {
  HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _free(address: number): void;
  /** The exports of the module without threads, which has made its memory itself. */
  asm?: { memory?: WebAssembly.Memory | undefined } | undefined;
  /** The memory that the module with threads was given. */
  wasmMemory?: WebAssembly.Memory | undefined;
}

/** The memory of a backend; undefined where it does not show it. */
export const memoryOf = ({ asm, wasmMemory }: EmscriptenModule): WebAssembly.Memory | undefined =>
  asm?.memory ?? wasmMemory;

/** Where a tensor lies. */
export const addressOf = (backend: WasmBackend, { dataId }: tf.TensorInfo): number =>
  backend.dataIdMap.get(dataId).memoryOffset;

/** A tensor whose values are yet to be written. */
export const output = (
  backend: WasmBackend,
  shape: readonly number[],
  dtype: 'float32' | 'int32' = 'float32',
): tf.TensorInfo => backend.makeOutput([...shape], dtype);

/**
 * Runs with memory of its own, which is freed afterwards.
 *
 * @throws RangeError where the heap has no room for it
 */
export function withMemory<T>(
  { wasm }: WasmBackend,
  bytes: number,
  run: (address: number) => T,
): T {
  const address = allocate(wasm, bytes);
  try {
    return run(address);
  } finally {
    wasm._free(address);
  }
}

/** The address of memory of this size. */
export function allocate(wasm: EmscriptenModule, bytes: number): number {
  const address = wasm._malloc(bytes) >>> 0;
  if (address === 0) throw new RangeError(`${bytes} bytes are more than the WebAssembly heap has`);
  return address;
}
