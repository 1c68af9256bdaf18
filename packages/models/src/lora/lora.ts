import {
  type ForwardContext,
  InputError,
  type LinearAdapters,
  type Matrix,
  type ParamSource,
  ParamStore,
  uniform,
  zeros,
} from '@headwise/core';
import { Dropout } from '@headwise/layers';
import * as tf from '@tensorflow/tfjs';

export interface LoraOptions {
  /** `r`, the width between A and B. */
  rank: number;
  /** The update is scaled by `alpha / rank`; default `rank`. */
  alpha?: number;
  /** Which linear maps, by their path, e.g. `/attn\.(qProj|vProj)$/`. */
  targets: RegExp;
  /** Of the input of A, in training; default 0. */
  dropout?: number;
  /** Of the initial A; default 0. */
  seed?: number;
  /** Where A and B come from instead. */
  source?: ParamSource;
}

/** A and B of one linear map. */
interface Update {
  a: tf.Tensor2D;
  b: tf.Tensor2D;
}

/**
 * Low-rank updates of a model's linear maps: `y = x W + b + (alpha / r) · x Aᵀ Bᵀ`; W stays as it is.
 *
 * B starts at zero, so that a new adapter changes nothing. Parameters, at the path of each linear map:
 * `loraA` `[r, in]` and `loraB` `[out, r]`.
 *
 * @see Hu et al. 2021, https://arxiv.org/abs/2106.09685
 * @example
 * const lora = new Lora(model.params, { rank: 8, alpha: 16, targets: /attn\.qkv$/ });
 * const network = new AdaptedModel(model.network, lora);
 * train({ network, params: lora.params.named(), optimizer, schedule, batches, steps: 100 });
 */
export class Lora implements LinearAdapters {
  /** Owns A and B; to be disposed by the caller. */
  readonly params: ParamStore;
  readonly rank: number;
  readonly alpha: number;
  readonly dropout: number;
  readonly #base: ParamStore;
  readonly #updates = new Map<string, Update>();
  readonly #dropout: Dropout;
  #merged = false;

  /**
   * @param base the model's parameters
   * @throws InputError for a rank below 1, and where no linear map's path matches
   */
  constructor(base: ParamStore, options: LoraOptions) {
    const { rank, alpha = rank, targets, dropout = 0, seed = 0, source } = options;
    if (!(Number.isInteger(rank) && rank >= 1)) {
      throw new InputError(`LoRA: rank is ${rank}; expected a whole number of at least 1`);
    }
    if (!Number.isFinite(alpha)) {
      throw new InputError(`LoRA: alpha is ${alpha}; expected a finite number`);
    }
    this.rank = rank;
    this.alpha = alpha;
    this.dropout = dropout;
    this.#base = base;
    this.#dropout = new Dropout({ rate: dropout });
    this.params = new ParamStore({ seed, source });
    const maps = linearMaps(base);
    for (const [path, matrix] of maps) {
      if (!targets.test(path)) continue;
      const [inner, out] = sizesOf(matrix);
      const below = this.params.at(path);
      const bound = 1 / Math.sqrt(inner);
      this.#updates.set(path, {
        a: below.get('loraA', [rank, inner], uniform(bound)) as unknown as tf.Tensor2D,
        b: below.get('loraB', [out, rank], zeros) as unknown as tf.Tensor2D,
      });
    }
    if (this.#updates.size === 0) {
      throw new InputError(
        `LoRA: no linear map matches ${targets}; there are ${maps.map(([path]) => path).join(', ')}`,
      );
    }
  }

  /** The paths of the linear maps that are updated. */
  get paths(): string[] {
    return [...this.#updates.keys()];
  }

  /** Whether the update is part of the model's own weights now. */
  get merged(): boolean {
    return this.#merged;
  }

  delta(path: string, x: tf.Tensor, ctx?: ForwardContext): tf.Tensor | undefined {
    const update = this.#merged ? undefined : this.#updates.get(path);
    if (!update) return undefined;
    return tf.tidy(() => {
      const rows = this.#dropout.forward(x, ctx).reshape<tf.Tensor2D>([-1, x.shape.at(-1)!]);
      const narrow = tf.matMul(rows, update.a, false, true).mul<tf.Tensor2D>(this.#scale);
      const y = tf.matMul(narrow, update.b, false, true);
      return y.reshape([...x.shape.slice(0, -1), update.b.shape[0]]);
    });
  }

  /**
   * Adds the updates to the model's weights, so that they cost nothing any more.
   *
   * @throws InputError where they are merged already, or a weight is packed; nothing is changed then
   */
  merge(): void {
    if (this.#merged) throw new InputError('LoRA: the updates are merged already');
    this.#addToWeights(this.#scale);
    this.#merged = true;
  }

  /**
   * Takes the updates out of the model's weights again: equal but for rounding to those before `merge`.
   *
   * @throws InputError where they are not merged
   */
  unmerge(): void {
    if (!this.#merged) throw new InputError('LoRA: the updates are not merged');
    this.#addToWeights(-this.#scale);
    this.#merged = false;
  }

  get #scale(): number {
    return this.alpha / this.rank;
  }

  #addToWeights(scale: number): void {
    const matrices = this.#base.matrices();
    const changes = [...this.#updates].map(([path, update]) => {
      const { variable, layout } = matrices[`${path}.weight`]!;
      if (!variable) {
        throw new InputError(
          `LoRA: the weight of '${path}' is packed, so nothing can be merged in`,
        );
      }
      return { variable, layout, ...update };
    });
    for (const { variable, layout, a, b } of changes) {
      tf.tidy(() => {
        const update = layout === 'in-out' ? tf.matMul(a, b, true, true) : tf.matMul(b, a);
        variable.assign(variable.add(update.mul(scale)));
      });
    }
  }
}

/** The linear maps of a model with their weights, by the path of the map. */
function linearMaps(params: ParamStore): [string, Matrix][] {
  return Object.entries(params.matrices()).map(([path, matrix]) => [
    path.slice(0, path.lastIndexOf('.')),
    matrix,
  ]);
}

function sizesOf({ variable, packed, layout }: Matrix): [inner: number, out: number] {
  const [first, second] = (variable ?? packed)!.shape as [number, number];
  return layout === 'in-out' ? [first, second] : [second, first];
}
