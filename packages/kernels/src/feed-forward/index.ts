import { checkShape } from '@headwise/core';
import { type MatrixLayout, sizeOf } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import { checkOperands } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import type { Projection } from '../gated-linear/index.js';
import type { LinearActivation } from '../linear/activation.js';
import { linear } from '../linear/index.js';
import { feedForwardGradient } from './gradient.js';
import { feedForwardGradientKernel, feedForwardKernel } from './webgpu.js';

/**
 * Two linear maps with an activation between them, `f(x W₁ + b₁) W₂ + b₂`, plus `added`, if given.
 *
 * The same values as two calls of `linear`; on WebGPU the gradient takes the activation's slope into the product before it.
 *
 * @param x `[..., D]`
 * @param up W₁ `[D, F]` and b₁ `[F]`, W₁ `[F, D]` in the layout `out-in`
 * @param down W₂ `[F, Out]` and b₂ `[Out]`, the same
 * @param activation f
 * @param added `[..., Out]`, such as a residual stream
 * @returns `[..., Out]`
 * @throws ShapeError where widths differ or a size is 0, InputError where a type is not float32
 */
export function feedForward(
  x: tf.Tensor,
  up: Projection,
  down: Projection,
  layout: MatrixLayout,
  activation: LinearActivation,
  added?: tf.Tensor,
): tf.Tensor {
  const fused = hasKernel('headwise/FeedForward') && tf.engine().isTapeOn();
  if (!fused || activation === 'none' || !up.bias || !down.bias) {
    return tf.tidy(() => {
      const hidden = linear(x, up.weight, up.bias, layout, activation);
      return linear(hidden, down.weight, down.bias, layout, 'none', 'float32', added);
    });
  }
  const width = x.shape.at(-1) ?? 0;
  const transposed = layout === 'out-in';
  checkShape('feedForward: up', up.weight.shape, transposed ? ['F', width] : [width, 'F']);
  const hidden = up.weight.shape[transposed ? 0 : 1];
  checkShape(
    'feedForward: down',
    down.weight.shape,
    transposed ? ['Out', hidden] : [hidden, 'Out'],
  );
  const out = down.weight.shape[transposed ? 0 : 1];
  checkShape('feedForward: bias of up', up.bias.shape, [hidden]);
  checkShape('feedForward: bias of down', down.bias.shape, [out]);
  const shape = [...x.shape.slice(0, -1), out];
  if (added) checkShape('feedForward: added', added.shape, shape);
  const operands = { x, up: up.weight, upBias: up.bias, down: down.weight, downBias: down.bias };
  checkOperands('feedForward', { ...operands, added });
  return tf.tidy(() => {
    const rows = sizeOf(x.shape.slice(0, -1));
    const inputs = {
      ...operands,
      x: x.reshape([rows, width]),
      ...(added ? { added: added.reshape([rows, out]) } : {}),
    };
    return runKernel('headwise/FeedForward', inputs, { transposed, activation })[0]!.reshape(shape);
  });
}

/** Makes `feedForward` use its WebGPU kernels. */
export function registerFeedForward(): void {
  registerWebGPUKernel('headwise/FeedForward', feedForwardKernel);
  registerWebGPUKernel('headwise/FeedForwardGradient', feedForwardGradientKernel);
  if (!tf.getGradient('headwise/FeedForward')) tf.registerGradient(feedForwardGradient);
}
