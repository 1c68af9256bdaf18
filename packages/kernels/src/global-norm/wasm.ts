import { sizeOf } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import { addressOf, output, type WasmBackend, withMemory } from '../wasm/heap.js';
import { launch } from '../wasm/module.js';

/** Values of a piece, whose sum a chunk makes. */
const valuesOfPiece = 2 ** 14;

interface Arguments {
  inputs: readonly tf.TensorInfo[];
  backend: WasmBackend;
  attrs: { maxNorm: number; factor: number };
}

/** @returns the norm of all tensors, and the scale that clips it, scalars; summed in float64 */
export function globalNormWasmKernel({
  inputs,
  backend,
  attrs: { maxNorm, factor },
}: Arguments): tf.TensorInfo[] {
  const pieces = inputs.flatMap((tensor) => {
    const [at, size] = [addressOf(backend, tensor), sizeOf(tensor.shape)];
    return Array.from({ length: Math.ceil(size / valuesOfPiece) }, (_, i) => [
      at + 4 * i * valuesOfPiece,
      Math.min(valuesOfPiece, size - i * valuesOfPiece),
    ]);
  });
  const count = pieces.length;
  const squares = withMemory(backend, count * 16, (start) => {
    new Uint32Array(backend.wasm.HEAPU8.buffer, start, 2 * count).set(pieces.flat());
    const sums = start + 8 * count;
    launch(backend, 'SQUARE_SUMS', count, [start, sums], [factor]);
    return new Float64Array(backend.wasm.HEAPU8.buffer, sums, count).reduce((a, b) => a + b, 0);
  });
  const norm = Math.fround(Math.sqrt(squares));
  const clip = maxNorm === Number.POSITIVE_INFINITY ? 1 : Math.min(1, maxNorm / (norm + 1e-6));
  return [norm, factor * clip].map((value) => {
    const scalar = output(backend, []);
    new Float32Array(backend.wasm.HEAPU8.buffer, addressOf(backend, scalar), 1)[0] = value;
    return scalar;
  });
}
