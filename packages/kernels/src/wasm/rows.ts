import type { WasmBackend } from './heap.js';
import { type KernelName, launch } from './module.js';

/** Rows of a chunk of the kernels in `assembly/rows.ts`. */
const rowsOfChunk = 8;

/** Runs a kernel of rows; integer 7 is the number of rows. */
export function launchRows(
  backend: WasmBackend,
  name: KernelName,
  integers: readonly number[],
  floats: readonly number[] = [],
): void {
  launch(backend, name, Math.ceil(integers[7]! / rowsOfChunk), integers, floats);
}
