import { checkShape } from '@headwise/core';
import { type MatrixLayout, sizeOf } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import { checkOperands } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { matrixProductKernel } from '../matrix-product/product.js';
import { activations, type LinearActivation } from './activation.js';
import { linearGradient } from './gradient.js';
import { product } from './product.js';
import { linearGradientKernel, linearKernel } from './webgpu.js';

/**
 * A linear map of the last axis: `y = f(x W + b)`, or `f(x Wᵀ + b)` for a weight that lies `[Out, In]`.
 *
 * Fused on WebGPU in one dispatch; leading axes are flattened, so that the weight's gradient is one
 * matrix product.
 *
 * @param x `[..., In]`
 * @param weight `[In, Out]`, or `[Out, In]` in the layout `out-in`
 * @param bias `[Out]`
 * @param activation f
 * @returns `[..., Out]`
 * @throws ShapeError where the widths differ or a size is 0, InputError where a type is not float32
 */
export function linear(
  x: tf.Tensor,
  weight: tf.Tensor2D,
  bias?: tf.Tensor1D,
  layout: MatrixLayout = 'in-out',
  activation: LinearActivation = 'none',
): tf.Tensor {
  const width = x.shape.at(-1) ?? 0;
  const transposed = layout === 'out-in';
  checkShape('linear: weight', weight.shape, transposed ? ['Out', width] : [width, 'Out']);
  const out = weight.shape[transposed ? 0 : 1];
  if (bias) checkShape('linear: bias', bias.shape, [out]);
  checkOperands('linear', { x, weight, bias });
  const shape = [...x.shape.slice(0, -1), out];
  return tf.tidy(() => {
    const rows = x.reshape<tf.Tensor2D>([sizeOf(x.shape.slice(0, -1)), width]);
    if (hasKernel('headwise/Linear')) {
      const keep = activation !== 'none' && tf.engine().isTapeOn();
      const inputs = { x: rows, weight, ...(bias ? { bias } : {}) };
      return runKernel('headwise/Linear', inputs, { transposed, activation, keep })[0]!.reshape(
        shape,
      );
    }
    const y = matrixProduct(rows, weight, transposed) as tf.Tensor2D;
    return activations[activation](bias ? y.add(bias) : y).reshape(shape);
  });
}

/** `x W`, whose gradients `dx = dy Wᵀ` and `dW = xᵀ dy` take the backend's fast path too. */
const matrixProduct = (x: tf.Tensor2D, weight: tf.Tensor2D, transposed: boolean): tf.Tensor =>
  tf.customGrad((x, weight, save) => {
    (save as tf.GradSaveFunc)([x as tf.Tensor, weight as tf.Tensor]);
    return {
      value: product(x as tf.Tensor2D, weight as tf.Tensor2D, false, transposed),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [x, weight] = saved as [tf.Tensor2D, tf.Tensor2D];
        const d = dy as tf.Tensor2D;
        return [
          product(d, weight, false, !transposed),
          transposed ? product(d, x, true) : product(x, d, true),
        ];
      },
    };
  })(x, weight);

/** Makes `linear` use its WebGPU kernels. */
export function registerLinear(): void {
  registerWebGPUKernel('headwise/MatrixProduct', matrixProductKernel);
  registerWebGPUKernel('headwise/Linear', linearKernel as unknown as tf.KernelFunc);
  registerWebGPUKernel('headwise/LinearGradient', linearGradientKernel as unknown as tf.KernelFunc);
  if (!tf.getGradient('headwise/Linear')) tf.registerGradient(linearGradient);
}
