import { checkShape } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { checkOperands } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runGradients, runKernel } from '../dispatch/register.js';
import { PackedWeight } from '../packed-linear/pack.js';
import { unpackWeight } from '../packed-linear/unpack.js';
import { expertLinearPacked, expertLinearPlain, sumOfExpertsPlain } from './plain.js';
import { routeTokensKernel } from './route.js';
import type { Routing } from './routing.js';
import {
  expertLinearGradientKernel,
  expertLinearKernel,
  expertOfPairsKernel,
  sumOfExpertsKernel,
} from './webgpu.js';

/**
 * A linear map for each expert, of the rows that were routed to it: `y_r = x_r W_e`, for `R = N k` pairs of a token and an expert.
 *
 * On WebGPU one dispatch multiplies the pairs of every expert, and finds which they are on the device; packed weights are
 * unpacked as they are read, and under a gradient before. Elsewhere each expert's rows are one product, for which some columns of packed weights
 * are unpacked at a time.
 *
 * @param x `[N, In]`, or `[R, In]` in the order of experts, as `rows` says
 * @param weight `[E Out, In]`: the outputs of one expert after those of another; or packed from the layout `out-in`
 * @param routing as `routeTokens` gives it
 * @param rows what the rows of x are: those of tokens, or of pairs
 * @returns `[R, Out]`, in the order of experts
 * @throws ShapeError where the widths differ or a size is 0, InputError where a type is not float32
 * @see Gale et al. 2022 (MegaBlocks), https://arxiv.org/abs/2211.15841
 */
export function expertLinear(
  x: tf.Tensor2D,
  weight: tf.Tensor2D | PackedWeight,
  routing: Routing,
  rows: 'tokens' | 'pairs',
): tf.Tensor2D {
  const { order, offsets, places, choices, experts } = routing;
  const pairs = order.size;
  const [tokens] = choices.shape;
  checkShape('expertLinear: weight', weight.shape, [weight.shape[0], x.shape[1]]);
  const ofTokens = rows === 'tokens';
  checkShape('expertLinear: x', x.shape, [ofTokens ? tokens : pairs, x.shape[1]]);
  const outputs = weight.shape[0] / experts;
  checkShape('expertLinear: weight', weight.shape, [experts * Math.ceil(outputs), x.shape[1]]);
  const packed = weight instanceof PackedWeight;
  checkOperands('expertLinear', { x, weight: packed ? undefined : weight });
  return tf.tidy(() => {
    const kernels = hasKernel('headwise/ExpertLinear');
    if (packed && kernels && !tf.engine().isTapeOn()) {
      const { words, scales, format, group } = weight;
      const [y] = runKernel(
        'headwise/ExpertLinearPacked',
        { x, words, offsets, order, choices, ...(scales ? { scales } : {}) },
        { pairs, out: outputs, ofTokens, format, group },
      );
      return y as tf.Tensor2D;
    }
    if (!kernels) {
      return packed
        ? expertLinearPacked(x, weight, routing, ofTokens)
        : expertLinearPlain(x, weight, routing, ofTokens);
    }
    const values = packed ? unpackWeight(weight).transpose<tf.Tensor2D>() : weight;
    const [y] = runKernel(
      'headwise/ExpertLinear',
      { x, weight: values, offsets, places, order, choices },
      { pairs, out: outputs, ofTokens },
    );
    return y as tf.Tensor2D;
  });
}

/**
 * The sum of what the experts of each token give: `y_n = Σ_j y_{nj}`.
 *
 * @param pairs `[R, D]`, in the order of experts
 * @returns `[N, D]`
 */
export function sumOfExperts(pairs: tf.Tensor2D, routing: Routing): tf.Tensor2D {
  const { order, places, choices } = routing;
  checkShape('sumOfExperts: pairs', pairs.shape, [order.size, 'D']);
  checkOperands('sumOfExperts', { pairs });
  const [tokens] = choices.shape;
  return tf.tidy(() => {
    if (!hasKernel('headwise/SumOfExperts')) return sumOfExpertsPlain(pairs, routing);
    const [sums] = runKernel('headwise/SumOfExperts', { pairs, places, order }, { tokens });
    return sums as tf.Tensor2D;
  });
}

/** Makes the operations of experts use their WebGPU kernels. */
export function registerExperts(): void {
  registerWebGPUKernel('headwise/RouteTokens', routeTokensKernel);
  registerWebGPUKernel('headwise/ExpertLinear', expertLinearKernel);
  registerWebGPUKernel('headwise/ExpertLinearPacked', expertLinearKernel);
  registerWebGPUKernel('headwise/ExpertLinearGradient', expertLinearGradientKernel);
  registerWebGPUKernel('headwise/SumOfExperts', sumOfExpertsKernel);
  registerWebGPUKernel('headwise/ExpertOfPairs', expertOfPairsKernel);
  for (const gradient of [expertLinearGradient, sumOfExpertsGradient]) {
    if (!tf.getGradient(gradient.kernelName)) tf.registerGradient(gradient);
  }
}

const expertLinearGradient: tf.GradConfig = {
  kernelName: 'headwise/ExpertLinear',
  inputsToSave: ['x', 'weight', 'offsets', 'places', 'order'],
  gradFunc: (dy, saved, attributes) => {
    const names = ['x', 'weight', 'offsets', 'places', 'order'];
    const given = Object.fromEntries(names.map((name, i) => [name, saved[i]!]));
    return runGradients(
      'headwise/ExpertLinearGradient',
      { dy: dy as tf.Tensor, ...given },
      ['x', 'weight'],
      attributes,
    );
  },
};

const sumOfExpertsGradient: tf.GradConfig = {
  kernelName: 'headwise/SumOfExperts',
  inputsToSave: ['order'],
  gradFunc: (dy, saved) => {
    const [order] = saved as tf.Tensor[];
    return {
      pairs: () => runKernel('headwise/ExpertOfPairs', { dy: dy as tf.Tensor, order: order! })[0]!,
    };
  },
};
