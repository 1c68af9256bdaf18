import {
  checkShape,
  type ForwardContext,
  InputError,
  type Layer,
  type ParamStore,
} from '@headwise/core';
import { linear } from '@headwise/kernels';
import * as tf from '@tensorflow/tfjs';
import { initializersOf } from './initializers.js';
import { makeDropout, makeNorm } from './layers.js';
import type { ModelConfiguration, PatchesPart } from './model-configuration.js';

/** The number of patches of a picture. */
export const patchCount = ({ height, width, size: [down, across] }: PatchesPart): number =>
  (height / down) * (width / across);

/**
 * Maps pictures to the input of the first block: a linear map of each patch, a vector before all patches, a learned vector for each
 * place, norm, dropout. Patches go from left to right, then from the top down.
 *
 * Parameters: `patches.weight` `[D, C, h, w]`, `patches.bias`, `classToken` `[1, 1, D]`, `places` `[1, N + 1, D]` (of a table `[D]`
 * and `[N + 1, D]`) and `embeddingNorm`, as far as the configuration has them.
 *
 * @see Dosovitskiy et al. 2021, https://arxiv.org/abs/2010.11929
 */
export class PatchInput implements Layer {
  readonly #patches: PatchesPart;
  readonly #weight: tf.Tensor4D;
  readonly #bias: tf.Tensor1D | undefined;
  readonly #first: tf.Tensor;
  readonly #places: tf.Tensor;
  readonly #norm: Layer | undefined;
  readonly #dropout: Layer | undefined;

  constructor(params: ParamStore, config: ModelConfiguration, patches: PatchesPart) {
    const { dim, embedding = {} } = config;
    const { table } = initializersOf(config);
    const { channels, size, bias = true, table: flat = false } = patches;
    const zeros = (shape: readonly number[]) => new Float32Array(shape.reduce((a, b) => a * b, 1));
    this.#patches = patches;
    this.#weight = params.at('patches').get('weight', [dim, channels, ...size], table);
    this.#bias = bias ? params.at('patches').get('bias', [dim], zeros) : undefined;
    this.#first = params.get('classToken', flat ? [dim] : [1, 1, dim], table);
    const places = [patchCount(patches) + 1, dim];
    this.#places = params.get('places', flat ? places : [1, ...places], table);
    this.#norm = embedding.norm ? makeNorm(params.at('embeddingNorm'), config) : undefined;
    this.#dropout = makeDropout(embedding.dropout);
  }

  /** @param pictures `[B, H, W, C]`, float32 @returns `[B, N + 1, D]` */
  forward(pictures: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    const { height, width, size, channels } = this.#patches;
    const [down, across] = size;
    checkShape('pictures', pictures.shape, ['B', height, width, channels]);
    if (pictures.dtype !== 'float32') {
      throw new InputError(`pictures have type ${pictures.dtype}; expected float32`);
    }
    const batch = pictures.shape[0]!;
    const [rows, columns] = [height / down, width / across];
    return tf.tidy(() => {
      // In two steps, as backends transpose four axes at most: rows of patches first, then what is within each.
      const bands = pictures
        .reshape([batch * rows, down, columns, across * channels])
        .transpose([0, 2, 1, 3]) // [B · rows, columns, h, w · C]
        .reshape([batch * rows * columns, down * across, channels])
        .transpose([0, 2, 1]) // [N, C, h · w]
        .reshape([batch, rows * columns, channels * down * across]);
      const weight = this.#weight.reshape<tf.Tensor2D>([this.#weight.shape[0], -1]);
      const patches = linear(bands, weight, this.#bias, 'out-in'); // [B, N, D]
      const first = this.#first.reshape([1, 1, -1]).tile([batch, 1, 1]);
      const placed = tf.concat([first, patches], 1).add(this.#places);
      const normed = this.#norm?.forward(placed, ctx) ?? placed;
      return this.#dropout?.forward(normed, ctx) ?? normed;
    });
  }
}
