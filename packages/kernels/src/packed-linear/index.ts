import { checkShape, type Precision } from '@headwise/core';
import { sizeOf } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import { checkOperands } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import type { LinearActivation } from '../linear/activation.js';
import { linear } from '../linear/index.js';
import type { PackedWeight } from './pack.js';
import { packedLinearPlain } from './plain.js';
import { unpackWeight } from './unpack.js';
import { packedLinearKernel, unpackWeightKernel } from './webgpu.js';

/**
 * A linear map by a packed weight: `y = f(x W + b)`, W in half precision or as scaled whole numbers.
 *
 * On WebGPU one dispatch unpacks the values as it reads them and adds in float32; under a gradient it unpacks the weight first. On wasm
 * panels of the weight are unpacked, in both directions, elsewhere some columns at a time. x and the bias have gradients, the
 * weight has none.
 *
 * @param x `[..., In]`
 * @param bias `[Out]`
 * @param activation f
 * @param precision of the products under a gradient, as of `linear`
 * @returns `[..., Out]`
 * @throws ShapeError where the widths differ or a size is 0, InputError where a type is not float32
 */
export function packedLinear(
  x: tf.Tensor,
  weight: PackedWeight,
  bias?: tf.Tensor1D,
  activation: LinearActivation = 'none',
  precision: Precision = 'float32',
): tf.Tensor {
  const leading = x.shape.slice(0, -1);
  checkShape('packedLinear: x', x.shape, [...leading, weight.in]);
  if (bias) checkShape('packedLinear: bias', bias.shape, [weight.out]);
  checkOperands('packedLinear', { x, bias });
  return tf.tidy(() => {
    if (!hasKernel('headwise/PackedLinear')) return packedLinearPlain(x, weight, bias, activation);
    const isTapeOn = tf.engine().isTapeOn();
    if (isTapeOn && tf.getBackend() === 'webgpu') {
      return linear(x, unpackWeight(weight), bias, 'in-out', activation, precision);
    }
    const { format, words, scales, group } = weight;
    const inputs = {
      x: x.reshape([sizeOf(leading), weight.in]),
      words,
      ...(scales ? { scales } : {}),
      ...(bias ? { bias } : {}),
    };
    const [y] = runKernel('headwise/PackedLinear', inputs, {
      format,
      group,
      out: weight.out,
      activation,
      keep: isTapeOn && activation !== 'none',
      weight,
    });
    return y!.reshape([...leading, weight.out]);
  });
}

/** Makes `packedLinear` use its WebGPU kernels. */
export function registerPackedLinear(): void {
  registerWebGPUKernel('headwise/PackedLinear', packedLinearKernel);
  registerWebGPUKernel('headwise/UnpackWeight', unpackWeightKernel);
}
