import {
  checkShape,
  type ForwardContext,
  InputError,
  type Layer,
  type ParamStore,
} from '@headwise/core';
import { linear } from '@headwise/kernels';
import type { TokenPosition } from '@headwise/positions/internal';
import * as tf from '@tensorflow/tfjs';
import { overlapping } from '../overlapping.js';
import { initializersOf } from './initializers.js';
import { makeDropout, makeNorm } from './layers.js';
import type { FramesPart, ModelConfiguration } from './model-configuration.js';
import { makeInputPosition } from './positions.js';

/** Frames that a convolution reads at once. */
const width = 3;

/**
 * Maps the frames of sounds to the input of the first block: two convolutions over three frames each with GELU behind, the second
 * with a stride of two, then positions, norm and dropout.
 *
 * `y[t] = gelu(Σ_k W[k] x[s t + k − 1] + b)`, with zeros before the first frame and after the last.
 *
 * Parameters: `conv1.weight` `[D, C, 3]`, `conv2.weight` `[D, D, 3]`, their biases `[D]`, and `positions` and `embeddingNorm` as far as
 * the configuration has them.
 *
 * @see Radford et al. 2022, §2.2, https://arxiv.org/abs/2212.04356
 */
export class FramesInput implements Layer {
  readonly #frames: FramesPart;
  readonly #first: Convolution;
  readonly #second: Convolution;
  readonly #positions: TokenPosition | undefined;
  readonly #norm: Layer | undefined;
  readonly #dropout: Layer | undefined;

  constructor(params: ParamStore, config: ModelConfiguration, frames: FramesPart) {
    const { dim, embedding = {} } = config;
    this.#frames = frames;
    this.#first = convolution(params.at('conv1'), config, frames.channels);
    this.#second = convolution(params.at('conv2'), config, dim);
    this.#positions = makeInputPosition(params.at('positions'), config);
    this.#norm = embedding.norm ? makeNorm(params.at('embeddingNorm'), config) : undefined;
    this.#dropout = makeDropout(embedding.dropout);
  }

  /** @param frames `[B, T, C]`, float32 @returns `[B, T / 2, D]` */
  forward(frames: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    const { count, channels } = this.#frames;
    checkShape('frames', frames.shape, ['B', count, channels]);
    if (frames.dtype !== 'float32') {
      throw new InputError(`frames have type ${frames.dtype}; expected float32`);
    }
    return tf.tidy(() => {
      const states = convolved(convolved(frames, this.#first, 1), this.#second, 2); // [B, T / 2, D]
      // Positions that need ids go with tokens alone.
      const ids = tf.zeros(states.shape.slice(0, 2), 'int32');
      const placed = this.#positions?.forward(states, ids, ctx) ?? states;
      const normed = this.#norm?.forward(placed, ctx) ?? placed;
      return this.#dropout?.forward(normed, ctx) ?? normed;
    });
  }
}

interface Convolution {
  /** `[Out, In, 3]` */
  readonly weight: tf.Tensor;
  /** `[Out]` */
  readonly bias: tf.Tensor;
}

function convolution(
  params: ParamStore,
  config: ModelConfiguration,
  channels: number,
): Convolution {
  const { dim } = config;
  return {
    weight: params.get('weight', [dim, channels, width], initializersOf(config).table),
    bias: params.get('bias', [dim], () => new Float32Array(dim)),
  };
}

/** @param x `[B, T, In]` @returns `[B, T / stride, Out]` */
function convolved(x: tf.Tensor, { weight, bias }: Convolution, stride: number): tf.Tensor {
  const [batch, count, channels] = x.shape as [number, number, number];
  const around: [number, number][] = [
    [0, 0],
    [1, 1],
    [0, 0],
  ];
  const rows = x.pad(around).reshape<tf.Tensor3D>([batch, (count + 2) / stride, stride * channels]);
  const windows = overlapping(rows, width * channels); // [B, T / stride, 3 In]
  const matrix = weight.transpose([0, 2, 1]).reshape<tf.Tensor2D>([weight.shape[0]!, -1]);
  return linear(windows, matrix, bias as tf.Tensor1D, 'out-in', 'gelu');
}
