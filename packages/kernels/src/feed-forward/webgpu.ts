import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { LinearActivation } from '../linear/activation.js';
import { linearKernel } from '../linear/webgpu.js';
import { matrixProduct } from '../matrix-product/product.js';

interface Arguments<N extends string, O extends string = never> {
  inputs: Record<N, tf.TensorInfo> & Partial<Record<O, tf.TensorInfo>>;
  backend: WebGPUBackend;
  attrs: { transposed: boolean; activation: LinearActivation };
}

/** @returns y `[N, Out]`, the hidden values and what they were before the activation, `[N, F]` each */
export function feedForwardKernel({
  inputs,
  backend,
  attrs,
}: Arguments<'x' | 'up' | 'upBias' | 'down' | 'downBias', 'added'>): tf.TensorInfo[] {
  const { x, up, upBias, down, downBias, added } = inputs;
  const { transposed, activation } = attrs;
  const [hidden, z] = linearKernel({
    inputs: { x, weight: up, bias: upBias },
    backend,
    attrs: { transposed, activation, keep: true },
  });
  const [y] = linearKernel({
    inputs: { x: hidden!, weight: down, bias: downBias, added },
    backend,
    attrs: { transposed, activation: 'none', keep: false },
  });
  return [y!, hidden!, z!];
}

/** @returns the gradients of x, W₁, b₁, W₂ and b₂: `dz = (dy W₂ᵀ) f'(z)` in one product, and two products of each map's own */
export function feedForwardGradientKernel({
  inputs,
  backend,
  attrs,
}: Arguments<'dy' | 'x' | 'up' | 'down' | 'hidden' | 'z'>): tf.TensorInfo[] {
  const { dy, x, up, down, hidden, z } = inputs;
  const { transposed, activation } = attrs;
  const [dDown, dDownBias] = matrixProduct(
    backend,
    { tensor: hidden, transposed: true },
    { tensor: dy },
    { columnSums: true, transposed },
  );
  const before = { z, activation };
  const [dz] = matrixProduct(
    backend,
    { tensor: dy },
    { tensor: down, transposed: !transposed },
    { before },
  );
  const [dx] = matrixProduct(backend, { tensor: dz! }, { tensor: up, transposed: !transposed });
  const [dUp, dUpBias] = matrixProduct(
    backend,
    { tensor: x, transposed: true },
    { tensor: dz! },
    { columnSums: true, transposed },
  );
  backend.disposeData(dz!.dataId);
  return [dx!, dUp!, dUpBias!, dDown!, dDownBias!];
}
