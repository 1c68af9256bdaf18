import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { elementWorkgroups, perElement } from '../dispatch/per-element.js';
import { defineProgram } from '../dispatch/program.js';
import type { Wanted } from '../dispatch/register.js';
import type { PackedFormat } from '../packed-linear/pack.js';
import { expertRows, fewPairs } from './few.js';
import { expertWeightGradient, sumOfPairs } from './gradient.js';
import { expertProduct } from './product.js';

type Inputs = Record<'x' | 'offsets' | 'order' | 'choices', tf.TensorInfo> &
  Partial<Record<'weight' | 'words' | 'scales', tf.TensorInfo>>;

interface Arguments {
  inputs: Inputs;
  backend: WebGPUBackend;
  attrs: { pairs: number; out: number; ofTokens: boolean; format: PackedFormat; group: number };
}

/** @returns y, `[R, Out]` */
export function expertLinearKernel({ inputs, backend, attrs }: Arguments): tf.TensorInfo[] {
  const { x, weight, words, scales, offsets } = inputs;
  const { pairs, out: columns, ofTokens, format, group } = attrs;
  const order = ofTokens ? inputs.order : undefined;
  const weights = weight
    ? { values: weight, transposed: false }
    : { format, group, words: words!, scales };
  if (pairs <= fewPairs)
    return [expertRows(backend, x, weights, inputs, { outputs: columns, ofTokens })];
  return [expertProduct(backend, x, weights, offsets, { pairs, columns, order })];
}

/** What the gradients of an expert's linear map are asked for by. */
interface ExpertGradients extends Wanted<'x' | 'weight'> {
  ofTokens: boolean;
}

interface GradientArguments {
  inputs: Record<'dy' | 'x' | 'weight' | 'offsets' | 'places' | 'order', tf.TensorInfo>;
  backend: WebGPUBackend;
  attrs: ExpertGradients;
}

/** @returns the gradients that are wanted, in their order */
export function expertLinearGradientKernel({
  inputs,
  backend,
  attrs: { wanted, ofTokens },
}: GradientArguments): tf.TensorInfo[] {
  const { dy, x, weight, offsets, places } = inputs;
  const order = ofTokens ? inputs.order : undefined;
  const gradients = {
    x() {
      const [tokens, columns] = x.shape as [number, number];
      const pairs = dy.shape[0]!;
      const weights = { values: weight, transposed: true };
      const ofPairs = expertProduct(backend, dy, weights, offsets, { pairs, columns });
      if (!order) return ofPairs;
      const sums = sumOfPairs(backend, ofPairs, places, tokens);
      backend.disposeData(ofPairs.dataId);
      return sums;
    },
    weight: () => expertWeightGradient(backend, dy, x, offsets, order),
  };
  return wanted.map((name) => gradients[name]());
}

/** @returns the sums, `[N, D]` */
export const sumOfExpertsKernel = ({
  inputs,
  backend,
  attrs,
}: {
  inputs: { pairs: tf.TensorInfo; places: tf.TensorInfo };
  backend: WebGPUBackend;
  attrs: { tokens: number };
}): tf.TensorInfo[] => [sumOfPairs(backend, inputs.pairs, inputs.places, attrs.tokens)];

const pairsProgram = defineProgram({
  label: 'headwise/ExpertOfPairs',
  inputs: { dy: 'f32', order: 'i32' },
  outputs: { pairs: 'f32' },
  params: { size: 'u32', width: 'u32', share: 'u32' },
  wgsl: perElement(/* wgsl */ `
      let token = u32(order[i / params.width]) / params.share;
      pairs[i] = dy[token * params.width + i % params.width];`),
});

/** The gradient of a sum: each pair gets its token's. @returns `[R, D]` */
export function expertOfPairsKernel({
  inputs,
  backend,
}: {
  inputs: { dy: tf.TensorInfo; order: tf.TensorInfo };
  backend: WebGPUBackend;
}): tf.TensorInfo[] {
  const [tokens, width] = inputs.dy.shape as [number, number];
  const count = inputs.order.shape[0]!;
  const size = count * width;
  const { pairs } = dispatch(backend, pairsProgram, {
    inputs,
    outputs: { pairs: { shape: [count, width], dtype: 'float32' } },
    params: { size, width, share: count / tokens },
    workgroups: elementWorkgroups(size),
  });
  return [pairs];
}
