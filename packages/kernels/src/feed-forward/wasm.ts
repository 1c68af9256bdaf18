import type * as tf from '@tensorflow/tfjs';
import type { LinearActivation } from '../linear/activation.js';
import { weightGradient } from '../linear/wasm.js';
import type { WasmBackend } from '../wasm/heap.js';
import { columnSums, matrixProduct } from '../wasm/product.js';

interface Arguments<N extends string, O extends string = never> {
  inputs: Record<N, tf.TensorInfo> & Partial<Record<O, tf.TensorInfo>>;
  backend: WasmBackend;
  attrs: { transposed: boolean; activation: LinearActivation };
}

/** @returns y `[N, Out]`, the hidden values and what they were before the activation, `[N, F]` each */
export function feedForwardWasmKernel({
  inputs: { x, up, upBias, down, downBias, added },
  backend,
  attrs: { transposed, activation },
}: Arguments<'x' | 'up' | 'upBias' | 'down' | 'downBias', 'added'>): tf.TensorInfo[] {
  const [hidden, z] = matrixProduct(
    backend,
    { tensor: x },
    { tensor: up, transposed },
    { bias: upBias, activation, keep: true },
  );
  const [y] = matrixProduct(
    backend,
    { tensor: hidden! },
    { tensor: down, transposed },
    { bias: downBias, added },
  );
  return [y!, hidden!, z!];
}

/** @returns the gradients of x, W₁, b₁, W₂ and b₂ */
export function feedForwardGradientWasmKernel({
  inputs: { dy, x, up, down, hidden, z },
  backend,
  attrs: { transposed, activation },
}: Arguments<'dy' | 'x' | 'up' | 'down' | 'hidden' | 'z'>): tf.TensorInfo[] {
  const [dz] = matrixProduct(
    backend,
    { tensor: dy },
    { tensor: down, transposed: !transposed },
    { before: z, activation },
  );
  const [dx] = matrixProduct(backend, { tensor: dz! }, { tensor: up, transposed: !transposed });
  const made = [
    dx!,
    weightGradient(backend, x, dz!, transposed),
    columnSums(backend, dz!),
    weightGradient(backend, hidden, dy, transposed),
    columnSums(backend, dy),
  ];
  backend.disposeData(dz!.dataId);
  return made;
}
