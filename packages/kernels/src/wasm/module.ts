import { binary } from './binary.js';
import { allocate, type EmscriptenModule, memoryOf, type WasmBackend } from './heap.js';

/** The kernels, by the names under which the module exports their numbers. */
export type KernelName =
  | 'PACK'
  | 'PRODUCT'
  | 'ROWS_PRODUCT'
  | 'COLUMN_SUMS'
  | 'TIMES_SLOPE'
  | 'ATTEND'
  | 'ATTEND_ROWS'
  | 'ATTEND_GRADIENT'
  | 'ATTEND_TABLE'
  | 'NORM'
  | 'NORM_GRADIENT'
  | 'NORM_WEIGHTS'
  | 'CROSS_ENTROPY'
  | 'CROSS_ENTROPY_GRADIENT'
  | 'SOFTMAX'
  | 'ADAMW'
  | 'SQUARE_SUMS'
  | 'GATHER_ROWS'
  | 'SCATTER_ROWS'
  | 'SOFTMAX_GRADIENT'
  | 'PACKED_ROWS'
  | 'PACKED_PRODUCT'
  | 'PACKED_PRODUCT_BACK'
  | 'UNPACK_WEIGHT'
  | 'GATHER_PACKED'
  | 'ROTARY'
  | 'ADD_ROWS'
  | 'SUM_SEQUENCES'
  | 'DROPOUT'
  | 'ATTEND_CACHE'
  | 'APPEND_TOKENS'
  | 'UNPACK_HALVES'
  | 'GATE'
  | 'GATE_GRADIENT';

type Exports = Readonly<Record<KernelName, WebAssembly.Global>> & {
  attach(control: number, thread: number): void;
  launch(kernel: number, chunks: number): void;
  work(): void;
  /** Bytes of a thread's memory for attention, without the values of a score program. */
  attentionBytes(keys: number, keyWidth: number, valueWidth: number): number;
};

/** The most threads, the calling one included. */
export const mostThreads = 16;

/** Bytes of the control block (its layout: `assembly/threads.ts`), and of each thread's scratch memory behind it. */
const [controlBytes, bytesPerThread] = [512, 4352];

/** The kernels in the memory of one backend. */
export interface Kernels {
  exports: Exports;
  /** The address of the control block. */
  control: number;
  memory: WebAssembly.Memory;
  module: WebAssembly.Module;
  /** The calling thread, and the workers, in use or not. */
  threads: number;
}

let bytes: Uint8Array<ArrayBuffer> | undefined;
const ofModules = new WeakMap<EmscriptenModule, Kernels>();
const compiled: Partial<Record<'shared' | 'own', WebAssembly.Module>> = {};

/** The module's bytes, its memory declared as one that is shared between threads, or not. */
function bytesFor(shared: boolean): Uint8Array<ArrayBuffer> {
  bytes ??= Uint8Array.from(atob(binary), (letter) => letter.charCodeAt(0));
  const made = bytes.slice();
  made[sharedFlag(made)] = shared ? 3 : 1;
  return made;
}

/** Where the limits of the imported memory begin: behind the names `env` and `memory`, and the kind. */
function sharedFlag(bytes: Uint8Array): number {
  const name = [...'\x03env\x06memory\x02'].map((letter) => letter.charCodeAt(0));
  return bytes.findIndex((_, i) => name.every((byte, j) => bytes[i + j] === byte)) + name.length;
}

const isShared = ({ buffer }: WebAssembly.Memory): boolean => !(buffer instanceof ArrayBuffer);

/** Whether the engine has the instructions of the kernels. */
export function hasKernelInstructions(): boolean {
  return typeof WebAssembly === 'object' && WebAssembly.validate(bytesFor(false));
}

/** Whether threads can share the memory of a backend. */
export function hasSharedMemory({ wasm }: WasmBackend): boolean {
  const memory = memoryOf(wasm);
  return memory !== undefined && isShared(memory);
}

/** Compiles the kernels for a backend ahead of their first use. */
export async function compileKernels({ wasm }: WasmBackend): Promise<void> {
  const memory = memoryOf(wasm);
  if (!memory) return;
  const shared = isShared(memory);
  compiled[shared ? 'shared' : 'own'] ??= await WebAssembly.compile(bytesFor(shared));
}

/** The kernels of a backend; made at the first call. */
export function kernelsOf({ wasm }: WasmBackend): Kernels {
  const known = ofModules.get(wasm);
  if (known) return known;
  const memory = memoryOf(wasm)!;
  const shared = isShared(memory);
  const key = shared ? 'shared' : 'own';
  compiled[key] ??= new WebAssembly.Module(bytesFor(shared));
  const module = compiled[key];
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const size = controlBytes + mostThreads * bytesPerThread;
  const control = allocate(wasm, size);
  new Uint8Array(memory.buffer, control, size).fill(0);
  const kernels = { exports: exports as Exports, control, memory, module, threads: 1 };
  kernels.exports.attach(control, 0);
  ofModules.set(wasm, kernels);
  return kernels;
}

/** How many threads run a backend's kernels. */
export const threadsOf = (backend: WasmBackend): number => kernelsOf(backend).threads;

/**
 * Runs a kernel in chunks; returns when it is done.
 *
 * @param integers its arguments: addresses, sizes and choices
 * @param floats its float arguments
 */
export function launch(
  backend: WasmBackend,
  name: KernelName,
  chunks: number,
  integers: readonly number[],
  floats: readonly number[] = [],
): void {
  const { exports, control, memory } = kernelsOf(backend);
  const { buffer } = memory;
  new Uint32Array(buffer, control + 64, 64).set(integers);
  if (floats.length > 0) new Float32Array(buffer, control + 320, 16).set(floats);
  exports.launch(exports[name].value as number, chunks);
}
