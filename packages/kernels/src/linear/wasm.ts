import type * as tf from '@tensorflow/tfjs';
import type { Wanted } from '../dispatch/register.js';
import type { WasmBackend } from '../wasm/heap.js';
import { activationGradient, columnSums, matrixProduct } from '../wasm/product.js';
import type { LinearActivation } from './activation.js';

interface ForwardArguments {
  inputs: Record<'x' | 'weight', tf.TensorInfo> & Partial<Record<'bias' | 'added', tf.TensorInfo>>;
  backend: WasmBackend;
  attrs: { transposed: boolean; activation: LinearActivation; keep: boolean };
}

/** @returns y, `[N, Out]`, and with `keep` the values before the activation, `[N, Out]` */
export function linearWasmKernel({ inputs, backend, attrs }: ForwardArguments): tf.TensorInfo[] {
  const { x, weight, bias, added } = inputs;
  const { transposed, activation, keep } = attrs;
  return matrixProduct(
    backend,
    { tensor: x },
    { tensor: weight, transposed },
    { bias, added, activation, keep },
  );
}

interface GradientArguments {
  inputs: Record<'dy' | 'x' | 'weight', tf.TensorInfo> & Partial<Record<'z', tf.TensorInfo>>;
  backend: WasmBackend;
  attrs: { transposed: boolean; activation: LinearActivation } & Wanted<'x' | 'weight' | 'bias'>;
}

/** @returns the gradients that are wanted */
export function linearGradientWasmKernel({
  inputs,
  backend,
  attrs,
}: GradientArguments): tf.TensorInfo[] {
  const { dy, x, weight, z } = inputs;
  const { transposed, activation, wanted } = attrs;
  const dz = z ? activationGradient(backend, dy, z, activation) : dy;
  const made: Partial<Record<'x' | 'weight' | 'bias', tf.TensorInfo | undefined>> = {};
  if (wanted.includes('x')) {
    const matrix = { tensor: weight, transposed: !transposed };
    [made.x] = matrixProduct(backend, { tensor: dz }, matrix);
  }
  if (wanted.includes('weight')) made.weight = weightGradient(backend, x, dz, transposed);
  if (wanted.includes('bias')) made.bias = columnSums(backend, dz);
  if (dz !== dy) backend.disposeData(dz.dataId);
  return wanted.map((name) => made[name]!);
}

/** `xᵀ dz`, `[In, Out]`, or its transpose. */
export function weightGradient(
  backend: WasmBackend,
  x: tf.TensorInfo,
  dz: tf.TensorInfo,
  transposed: boolean,
): tf.TensorInfo {
  const [a, b] = transposed ? [dz, x] : [x, dz];
  return matrixProduct(backend, { tensor: a, transposed: true }, { tensor: b })[0]!;
}

interface ProductArguments {
  inputs: Record<'a' | 'b', tf.TensorInfo>;
  backend: WasmBackend;
  attrs: { transposeA: boolean; transposeB: boolean };
}

/** @returns a product of two matrices, either of them transposed first */
export function matrixProductWasmKernel({
  inputs: { a, b },
  backend,
  attrs: { transposeA, transposeB },
}: ProductArguments): tf.TensorInfo[] {
  const operands = [
    { tensor: a, transposed: transposeA },
    { tensor: b, transposed: transposeB },
  ] as const;
  return matrixProduct(backend, ...operands);
}
