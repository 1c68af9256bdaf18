import { checkShape, type Precision } from '@headwise/core';
import { type MatrixLayout, sizeOf } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import { checkOperands } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { checkPrecision, toHalves } from '../halves/index.js';
import type { LinearActivation } from '../linear/activation.js';
import { linear } from '../linear/index.js';
import { gatedLinearGradient, gatedLinearOfHalvesGradient } from './gradient.js';
import { gatedLinearGradientKernel, gatedLinearKernel } from './webgpu.js';

/** The parameters of one linear map. */
export interface Projection {
  weight: tf.Tensor2D;
  /** `[Out]`; both maps of a gated one have a bias, or neither. */
  bias?: tf.Tensor1D | undefined;
}

/**
 * A linear map that is gated by another: `h = f(x W_g + b_g) ⊙ (x W_u + b_u)`; SwiGLU by default.
 *
 * Fused on WebGPU in one dispatch, which reads x once. GEGLU is `gelu` or `gelu_new`, ReGLU `relu`.
 *
 * @param x `[..., In]`
 * @param gate weight `[In, Out]`, or `[Out, In]` in the layout `out-in`
 * @param up like `gate`
 * @param activation f
 * @param precision as of `linear`
 * @returns `[..., Out]`
 * @throws ShapeError where widths differ or a size is 0, InputError where a type is not float32, BackendError where the backend
 * does not multiply in the precision
 * @see Shazeer 2020, https://arxiv.org/abs/2002.05202
 */
export function gatedLinear(
  x: tf.Tensor,
  gate: Projection,
  up: Projection,
  layout: MatrixLayout = 'in-out',
  activation: LinearActivation = 'silu',
  precision: Precision = 'float32',
): tf.Tensor {
  const width = x.shape.at(-1) ?? 0;
  const transposed = layout === 'out-in';
  checkShape('gatedLinear: gate', gate.weight.shape, transposed ? ['Out', width] : [width, 'Out']);
  checkShape('gatedLinear: up', up.weight.shape, gate.weight.shape);
  const out = gate.weight.shape[transposed ? 0 : 1];
  if (gate.bias) checkShape('gatedLinear: bias of the gate', gate.bias.shape, [out]);
  if (up.bias) checkShape('gatedLinear: bias of up', up.bias.shape, [out]);
  checkOperands('gatedLinear', { x, gate: gate.weight, up: up.weight });
  checkPrecision('gatedLinear', precision);
  return tf.tidy(() => {
    if (!hasKernel('headwise/GatedLinear') || !gate.bias !== !up.bias) {
      return linear(x, gate.weight, gate.bias, layout, activation, precision).mul(
        linear(x, up.weight, up.bias, layout, 'none', precision),
      );
    }
    const rows = x.reshape([sizeOf(x.shape.slice(0, -1)), width]);
    const inputs = {
      x: rows,
      gate: gate.weight,
      up: up.weight,
      ...(gate.bias && up.bias ? { gateBias: gate.bias, upBias: up.bias } : {}),
    };
    const keep = tf.engine().isTapeOn();
    const attributes = { transposed, activation, keep, inner: width };
    const [h] =
      precision === 'mixed'
        ? runKernel(
            'headwise/GatedLinearOfHalves',
            {
              ...inputs,
              halves: toHalves(rows),
              gateHalves: toHalves(gate.weight),
              upHalves: toHalves(up.weight),
            },
            attributes,
          )
        : runKernel('headwise/GatedLinear', inputs, attributes);
    return h!.reshape([...x.shape.slice(0, -1), out]);
  });
}

/** Makes `gatedLinear` use its WebGPU kernels. */
export function registerGatedLinear(): void {
  registerWebGPUKernel('headwise/GatedLinear', gatedLinearKernel);
  registerWebGPUKernel('headwise/GatedLinearGradient', gatedLinearGradientKernel);
  registerWebGPUKernel('headwise/GatedLinearOfHalves', gatedLinearKernel);
  for (const gradient of [gatedLinearGradient, gatedLinearOfHalvesGradient]) {
    if (!tf.getGradient(gradient.kernelName)) tf.registerGradient(gradient);
  }
}
