import { sizeOf } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import type { LinearActivation } from '../linear/activation.js';
import { activationNumbers } from './activations.js';
import { addressOf, output, type WasmBackend, withMemory } from './heap.js';
import { launch } from './module.js';

/** A matrix that lies in memory row by row, as it is or transposed. */
export interface Operand {
  tensor: tf.TensorInfo;
  transposed?: boolean | undefined;
}

/** What follows a product in the same pass. */
export interface Finish {
  bias?: tf.TensorInfo | undefined;
  activation?: LinearActivation | undefined;
  /** Also gives the values before the activation. */
  keep?: boolean | undefined;
  /** Added to the result. */
  added?: tf.TensorInfo | undefined;
  /** Values z, shaped as the result, which is multiplied by the slope of the activation at z. */
  before?: tf.TensorInfo | undefined;
}

/** Rows that a product reads its second operand for without packing it, at most. */
const fewRows = 4;

/** Rows of a chunk of a product. */
export const tall = 64;
/** Columns of a chunk of a product. */
export const wide = 128;

/**
 * `C = A B` of matrices in any orientation, and what follows it.
 *
 * @returns C, and with `keep` the values before the activation
 */
export function matrixProduct(
  backend: WasmBackend,
  a: Operand,
  b: Operand,
  after: Finish = {},
): tf.TensorInfo[] {
  const [rows, inner] = sizesOf(a);
  const columns = b.transposed ? b.tensor.shape[0]! : b.tensor.shape[1]!;
  const shape = [rows, columns];
  const [c, z] = [output(backend, shape), after.keep ? output(backend, shape) : undefined];
  const at = (tensor: tf.TensorInfo) => addressOf(backend, tensor);
  const finish = finishNumbers(backend, after, z);
  const sizes = [at(c), rows, columns, inner];
  if (rows <= fewRows && (!a.transposed || rows === 1)) {
    const part = 256;
    const given = [at(a.tensor), at(b.tensor), ...sizes, 0, part, ...finish, b.transposed ? 1 : 0];
    launch(backend, 'ROWS_PRODUCT', Math.ceil(columns / part), given);
  } else {
    const [lines, panels] = [Math.ceil(rows / 4) * 4, Math.ceil(columns / 8) * 8];
    withMemory(backend, (lines + panels) * inner * 4 + 16, (start) => {
      const packedA = Math.ceil(start / 16) * 16;
      const packedB = packedA + lines * inner * 4;
      pack(backend, packedA, a, { width: 4, lines: rows, inner, turned: a.transposed === true });
      pack(backend, packedB, b, { width: 8, lines: columns, inner, turned: !b.transposed });
      const chunks = Math.ceil(rows / tall) * Math.ceil(columns / wide);
      launch(backend, 'PRODUCT', chunks, [packedA, packedB, ...sizes, tall, wide, ...finish]);
    });
  }
  return z ? [c, z] : [c];
}

/** The arguments of `finish` in `assembly/product.ts`. */
export function finishNumbers(
  backend: WasmBackend,
  { bias, activation = 'none', added, before }: Finish,
  kept: tf.TensorInfo | undefined,
): number[] {
  const at = (tensor: tf.TensorInfo | undefined) => (tensor ? addressOf(backend, tensor) : 0);
  return [at(bias), at(added), at(kept), activationNumbers[activation], at(before)];
}

/** Bytes of a matrix that is packed in groups of four rows. */
export const packedBytes = ({ shape: [rows, inner] }: tf.TensorInfo): number =>
  Math.ceil(rows! / 4) * 16 * inner!;

/** Packs a matrix in groups of four rows. */
export function packRows(backend: WasmBackend, to: number, tensor: tf.TensorInfo): void {
  const [lines, inner] = tensor.shape as [number, number];
  pack(backend, to, { tensor }, { width: 4, lines, inner, turned: false });
}

/** @param turned the lines are columns */
function pack(
  backend: WasmBackend,
  to: number,
  { tensor }: Operand,
  { width, lines, inner, turned }: { width: 4 | 8; lines: number; inner: number; turned: boolean },
): void {
  const [line, step] = turned ? [4, lines * 4] : [inner * 4, 4];
  const given = [to, addressOf(backend, tensor), line, step, width, lines, inner];
  launch(backend, 'PACK', Math.ceil(lines / width), given);
}

const sizesOf = ({ tensor, transposed }: Operand): [rows: number, columns: number] => {
  const [rows, columns] = tensor.shape as [number, number];
  return transposed ? [columns, rows] : [rows, columns];
};

/** The sums of a matrix's columns. */
export function columnSums(backend: WasmBackend, x: tf.TensorInfo): tf.TensorInfo {
  const [rows, columns] = x.shape as [number, number];
  const sums = output(backend, [columns]);
  const given = [addressOf(backend, x), addressOf(backend, sums), rows, columns];
  launch(backend, 'COLUMN_SUMS', Math.ceil(columns / 16), given);
  return sums;
}

/** `dy · f'(z)` */
export function activationGradient(
  backend: WasmBackend,
  dy: tf.TensorInfo,
  z: tf.TensorInfo,
  activation: LinearActivation,
): tf.TensorInfo {
  const dz = output(backend, dy.shape);
  const size = sizeOf(dy.shape);
  const given = [dz, dy, z].map((tensor) => addressOf(backend, tensor));
  launch(backend, 'TIMES_SLOPE', Math.ceil(size / 2 ** 14), [
    ...given,
    size,
    activationNumbers[activation],
  ]);
  return dz;
}
