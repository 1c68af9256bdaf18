import { InputError, initializers, type ParamStore } from '@headwise/core';
import { gatherRows, scoreMod, scoreTable } from '@headwise/kernels';
import * as tf from '@tensorflow/tfjs';
import {
  type AttentionPosition,
  type Placed,
  type Placement,
  refusePositions,
  type Span,
} from './position.js';

export interface T5PositionOptions {
  /** `H` */
  heads: number;
  /** Default 32. */
  buckets?: number | undefined;
  /** From this distance on all share the last bucket; default 128. */
  maxDistance?: number | undefined;
  /** Keys after the query have buckets of their own; default false. */
  bidirectional?: boolean | undefined;
}

/**
 * The bucket of each distance `k − q` from `−maxDistance` to `maxDistance`: one for each short distance,
 * and logarithmically wider ones up to `maxDistance`.
 */
export function t5Buckets(options: Omit<T5PositionOptions, 'heads'>): Int32Array {
  const { buckets = 32, maxDistance = 128, bidirectional = false } = options;
  const each = bidirectional ? Math.floor(buckets / 2) : buckets;
  const exact = Math.floor(each / 2);
  // In steps of float32, so that distances at the edge of a bucket fall where Hugging Face's do.
  const { fround } = Math;
  const spread = fround(Math.log(maxDistance / exact));
  return Int32Array.from({ length: 2 * maxDistance + 1 }, (_, i) => {
    const distance = i - maxDistance;
    const behind = bidirectional ? Math.abs(distance) : Math.max(0, -distance);
    const side = bidirectional && distance > 0 ? each : 0;
    if (behind < exact) return side + behind;
    const steps = fround(
      fround(fround(Math.log(fround(behind / exact))) / spread) * (each - exact),
    );
    return side + Math.min(each - 1, exact + Math.trunc(steps));
  });
}

/**
 * T5's relative positions: a learned number for each head and bucket of distances, added to scores,
 * `s_ij + W[bucket(j − i), h]`. Layers that share one of these share the table.
 *
 * Parameters: `weight` `[buckets, H]`. T5 does not scale its products: its `scale` is 1.
 *
 * @see Raffel et al. 2020, https://arxiv.org/abs/1910.10683
 */
export class T5Position implements AttentionPosition {
  readonly name = 't5';
  readonly needsProduct = false;
  readonly #weight: tf.Tensor2D;
  readonly #buckets: Int32Array;
  readonly #maxDistance: number;

  /** @throws InputError where there are too few buckets, or `maxDistance` lies within the exact ones */
  constructor(params: ParamStore, options: T5PositionOptions) {
    const { heads, buckets = 32, maxDistance = 128, bidirectional = false } = options;
    const exact = Math.floor(buckets / (bidirectional ? 4 : 2));
    if (!(exact >= 1 && maxDistance > exact)) {
      throw new InputError(
        `t5: ${buckets} buckets up to a distance of ${maxDistance}; expected at least ${bidirectional ? 4 : 2} buckets and a distance beyond the ${exact} exact ones`,
      );
    }
    this.#weight = params.get('weight', [buckets, heads], initializers.normal(0.02));
    this.#buckets = t5Buckets(options);
    this.#maxDistance = maxDistance;
  }

  /** @throws InputError where q has another number of heads */
  apply(q: tf.Tensor, k: tf.Tensor, at: Span): Placed {
    return { q, k, ...this.place(q.shape, k.shape, at) };
  }

  /** @throws InputError where q has another number of heads */
  place([, asking]: readonly number[], _k: readonly number[], at: Span): Placement {
    refusePositions(this.name, at);
    const heads = this.#weight.shape[1];
    if (asking !== heads) {
      throw new InputError(`t5: q has ${asking} heads; expected ${heads}, one a column`);
    }
    // A table by distance: an index beyond it means its end, which is the last bucket.
    const biases = gatherRows(this.#weight, tf.tensor1d(this.#buckets, 'int32'), 'trusted'); // [2 max + 1, H]
    const far = this.#maxDistance;
    const mod = scoreMod((score, _b, h, q, k) =>
      score.add(scoreTable(biases).at(k.sub(q).add(far), h)),
    );
    return { mods: [mod] };
  }
}
