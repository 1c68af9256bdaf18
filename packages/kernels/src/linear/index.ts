import { checkShape, type Precision } from '@headwise/core';
import { isWanted, type MatrixLayout, sizeOf } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import { checkOperands } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { checkPrecision, toHalves } from '../halves/index.js';
import { matrixProductKernel } from '../matrix-product/product.js';
import { activations, type LinearActivation } from './activation.js';
import { linearGradient, linearOfHalvesGradient } from './gradient.js';
import { product } from './product.js';
import { linearGradientKernel, linearKernel } from './webgpu.js';

/**
 * A linear map of the last axis: `y = f(x W + b)`, or `f(x Wᵀ + b)` for a weight that lies `[Out, In]`; plus `added`, if given.
 *
 * Fused on WebGPU in one dispatch; leading axes are flattened, so that the weight's gradient is one
 * matrix product.
 *
 * @param x `[..., In]`
 * @param weight `[In, Out]`, or `[Out, In]` in the layout `out-in`
 * @param bias `[Out]`
 * @param activation f
 * @param precision `mixed`: x, W and the gradient of `x W + b` are rounded to float16 before they are multiplied, and the
 * backward pass is given x and `x W + b` as float16; sums, results and gradients are float32
 * @param added `[..., Out]`, what the result is added to, such as a residual stream
 * @returns `[..., Out]`
 * @throws ShapeError where the widths differ or a size is 0, InputError where a type is not float32, BackendError where the
 * backend does not multiply in the precision
 */
export function linear(
  x: tf.Tensor,
  weight: tf.Tensor2D,
  bias?: tf.Tensor1D,
  layout: MatrixLayout = 'in-out',
  activation: LinearActivation = 'none',
  precision: Precision = 'float32',
  added?: tf.Tensor,
): tf.Tensor {
  const width = x.shape.at(-1) ?? 0;
  const transposed = layout === 'out-in';
  checkShape('linear: weight', weight.shape, transposed ? ['Out', width] : [width, 'Out']);
  const out = weight.shape[transposed ? 0 : 1];
  if (bias) checkShape('linear: bias', bias.shape, [out]);
  const shape = [...x.shape.slice(0, -1), out];
  if (added) checkShape('linear: added', added.shape, shape);
  checkOperands('linear', { x, weight, bias, added });
  checkPrecision('linear', precision);
  return tf.tidy(() => {
    const rows = x.reshape<tf.Tensor2D>([sizeOf(x.shape.slice(0, -1)), width]);
    if (hasKernel('headwise/Linear')) {
      const keep = activation !== 'none' && tf.engine().isTapeOn();
      const inputs = {
        ...{ x: rows, weight },
        ...(bias ? { bias } : {}),
        ...(added ? { added: added.reshape([rows.shape[0], out]) } : {}),
      };
      const attributes = { transposed, activation, keep, inner: width };
      const [y] =
        precision === 'mixed'
          ? runKernel(
              'headwise/LinearOfHalves',
              { ...inputs, ...halvesOf(rows, weight) },
              attributes,
            )
          : runKernel('headwise/Linear', inputs, attributes);
      return y!.reshape(shape);
    }
    const y = matrixProduct(rows, weight, transposed) as tf.Tensor2D;
    const mapped = activations[activation](bias ? y.add(bias) : y).reshape(shape);
    return added ? mapped.add(added) : mapped;
  });
}

/** What is multiplied and saved in mixed precision. */
const halvesOf = (x: tf.Tensor2D, weight: tf.Tensor2D) => ({
  halves: toHalves(x),
  matrix: toHalves(weight),
});

/** `x W`, whose gradients `dx = dy Wᵀ` and `dW = xᵀ dy` take the backend's fast path too. */
const matrixProduct = (x: tf.Tensor2D, weight: tf.Tensor2D, transposed: boolean): tf.Tensor =>
  tf.customGrad((x, weight, save) => {
    (save as tf.GradSaveFunc)([x as tf.Tensor, weight as tf.Tensor]);
    return {
      value: product(x as tf.Tensor2D, weight as tf.Tensor2D, false, transposed),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [x, weight] = saved as [tf.Tensor2D, tf.Tensor2D];
        const d = dy as tf.Tensor2D;
        // What is not asked for must be a tensor all the same, and is not read.
        return [
          isWanted('0') ? product(d, weight, false, !transposed) : d,
          isWanted('1') ? (transposed ? product(d, x, true) : product(x, d, true)) : d,
        ];
      },
    };
  })(x, weight);

/** Makes `linear` use its WebGPU kernels. */
export function registerLinear(): void {
  registerWebGPUKernel('headwise/MatrixProduct', matrixProductKernel);
  registerWebGPUKernel('headwise/Linear', linearKernel as unknown as tf.KernelFunc);
  registerWebGPUKernel('headwise/LinearGradient', linearGradientKernel as unknown as tf.KernelFunc);
  registerWebGPUKernel('headwise/LinearOfHalves', linearKernel as unknown as tf.KernelFunc);
  for (const gradient of [linearGradient, linearOfHalvesGradient]) {
    if (!tf.getGradient(gradient.kernelName)) tf.registerGradient(gradient);
  }
}
