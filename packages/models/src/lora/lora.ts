import {
  checkParams,
  type ForwardContext,
  type Initializer,
  InputError,
  initializers,
  type ParamSource,
  ParamStore,
} from '@headwise/core';
import type { LinearAdapters, Matrix } from '@headwise/core/internal';
import { linear } from '@headwise/kernels';
import { Dropout } from '@headwise/layers';
import * as tf from '@tensorflow/tfjs';
import { outputNorms } from './dora.js';
import type { LoraUpdate } from './lora-update.js';
import { addToWeights } from './merge.js';
import { chosen, isEmpty, linearMaps, sizesOf } from './targets.js';

export interface LoraOptions {
  /** `r`, the width between A and B. */
  rank: number;
  /** The update is scaled by `alpha / rank`; default `rank`. */
  alpha?: number | undefined;
  /** Scales by `alpha / √rank` instead, as rsLoRA does; default false. */
  rankStabilized?: boolean | undefined;
  /** Learns the norm of what each output sums apart from its direction, as DoRA does; default false. */
  dora?: boolean | undefined;
  /** Which linear maps, by their path, e.g. `/attn\.(qProj|vProj)$/`. */
  targets: RegExp | readonly string[];
  /** Other ranks and alphas of single linear maps, by their path. */
  overrides?:
    | Readonly<Record<string, { rank?: number | undefined; alpha?: number | undefined }>>
    | undefined;
  /** Whether the map of B adds a bias; default false. */
  bias?: boolean | undefined;
  /**
   * Which parameters the adapter holds a trained copy of, by their path, e.g. `/^score\./`: whole parameters, which
   * take the place of the model's; default none.
   */
  copies?: RegExp | readonly string[] | undefined;
  /** Of the input of A, in training; default 0. */
  dropout?: number | undefined;
  /** Of the initial A; default 0. */
  seed?: number | undefined;
  /** Where A and B come from instead. */
  source?: ParamSource | undefined;
}

/**
 * Low-rank updates of a model's linear maps: `y = x W + b + s · x Aᵀ Bᵀ` with `s = alpha / r`; W stays as it is.
 *
 * With DoRA `y = m ∘ (x V + s · x Aᵀ Bᵀ) / ‖V + s Aᵀ Bᵀ‖ + b`, where V is the weight and the norm that of what each output sums.
 *
 * B starts at zero and m as the norms of W, so that a new adapter changes nothing. Parameters, at the path of each linear map:
 * `loraA` `[r, in]`, `loraB` `[out, r]`, `loraBias` `[out]` where B has a bias, and `loraMagnitude` `[out]` of DoRA; copies of
 * the model's parameters have the model's paths.
 *
 * @see Hu et al. 2021, https://arxiv.org/abs/2106.09685; Kalajdzievski 2023 (rsLoRA), https://arxiv.org/abs/2312.03732; Liu et al. 2024
 * (DoRA), https://arxiv.org/abs/2402.09353
 * @example
 * const lora = new Lora(model.params, { rank: 8, alpha: 16, targets: /attn\.qkv$/ });
 * const network = new AdaptedModel(model.network, lora);
 * train({ objective, params: lora.params.named(), optimizer, schedule, batches, steps: 100 });
 */
export class Lora implements LinearAdapters {
  /** Owns A and B; to be disposed by the caller. */
  readonly params: ParamStore;
  readonly rank: number;
  readonly alpha: number;
  readonly dropout: number;
  readonly rankStabilized: boolean;
  /** Whether the map of B adds a bias. */
  readonly hasBias: boolean;
  readonly dora: boolean;
  readonly #base: ParamStore;
  readonly #updates = new Map<string, LoraUpdate>();
  readonly #copies = new Map<string, tf.Variable>();
  readonly #dropout: Dropout;
  #merged = false;

  /**
   * @param base the model's parameters
   * @throws InputError for a rank below 1, where no linear map's path matches, and for copies of parameters that
   * the model does not have or that its layers cannot exchange; for DoRA with a bias
   */
  constructor(base: ParamStore, options: LoraOptions) {
    const { rank, alpha = rank, targets, copies = [], bias = false, dropout = 0 } = options;
    const { seed = 0, source, overrides = {}, rankStabilized = false, dora = false } = options;
    checkParams('Lora', base);
    checkSizes('', { rank, alpha });
    if (dora && bias) {
      throw new InputError('LoRA: dora and bias are both true; DoRA has no bias of B, as in PEFT');
    }
    this.rank = rank;
    this.alpha = alpha;
    this.hasBias = bias;
    this.dropout = dropout;
    this.rankStabilized = rankStabilized;
    this.dora = dora;
    this.#base = base;
    this.#dropout = new Dropout({ rate: dropout });
    // Deferred, so that a copy can start as the model's own tensor.
    this.params = new ParamStore({ seed, source, deferred: () => {} });
    const maps = new Map(linearMaps(base));
    for (const path of chosen(targets, [...maps.keys()], 'no linear map')) {
      const { rank: ownRank = rank, alpha: ownAlpha = alpha } = overrides[path] ?? {};
      const own = { rank: ownRank, alpha: ownAlpha };
      checkSizes(` of '${path}'`, own);
      const [inner, out] = sizesOf(maps.get(path)!);
      const below = this.params.at(path);
      const make = (name: string, shape: number[], init: Initializer) =>
        below.get(name, shape, init) as tf.Tensor;
      this.#updates.set(path, {
        ...own,
        scale: own.alpha / (rankStabilized ? Math.sqrt(own.rank) : own.rank),
        a: make(
          'loraA',
          [own.rank, inner],
          initializers.uniform(1 / Math.sqrt(inner)),
        ) as tf.Tensor2D,
        b: make('loraB', [out, own.rank], initializers.zeros) as tf.Tensor2D,
        bias: bias ? (make('loraBias', [out], initializers.zeros) as tf.Tensor1D) : undefined,
        magnitude: dora ? below.get('loraMagnitude', [out], initializers.zeros) : undefined,
      });
    }
    try {
      if (source === undefined) this.#startMagnitudes(maps);
      for (const path of this.params.waiting()) this.params.fill(path);
      if (!isEmpty(copies)) this.#copy(copies, source !== undefined);
    } catch (error) {
      this.params.dispose();
      throw error;
    }
  }

  /** Starts the magnitudes of DoRA as the norms of the model's weights. */
  #startMagnitudes(maps: ReadonlyMap<string, Matrix>): void {
    for (const [path, { magnitude }] of this.#updates) {
      if (!magnitude) continue;
      const norms = () => outputNorms(path, maps.get(path)!);
      tf.tidy(() => this.params.fill(`${path}.loraMagnitude`, norms()));
    }
  }

  /** Makes the copies of parameters, as the source has them, or as they are in the model. */
  #copy(copies: RegExp | readonly string[], fromSource: boolean): void {
    const base = this.#base;
    const own = base.named();
    const packed = base.matrices();
    const all = [...new Set([...Object.keys(own), ...Object.keys(packed)])];
    for (const path of chosen(copies, all, 'no parameter')) {
      if (!base.isAdaptable(path)) {
        throw new InputError(`LoRA: the layer of parameter '${path}' cannot take a copy of it`);
      }
      const value = own[path];
      const { shape } = (value ?? packed[path]!.packed)!;
      if (!value && !fromSource) {
        throw new InputError(`LoRA: parameter '${path}' is packed, so it cannot be copied`);
      }
      this.#copies.set(path, this.params.get(path, shape, initializers.zeros));
      if (fromSource) this.params.fill(path);
      else tf.tidy(() => this.params.fill(path, value!.add(0)));
    }
  }

  /** The paths of the linear maps that are updated. */
  get paths(): string[] {
    return [...this.#updates.keys()];
  }

  /** The paths of the model's parameters that the adapter holds a copy of. */
  get copies(): string[] {
    return [...this.#copies.keys()];
  }

  /**
   * The rank and alpha of one linear map.
   *
   * @throws InputError where it is not updated
   */
  sizesOf(path: string): { rank: number; alpha: number } {
    const update = this.#updates.get(path);
    if (!update) throw new InputError(`LoRA: linear map '${path}' is not updated`);
    return { rank: update.rank, alpha: update.alpha };
  }

  /** Whether the update is part of the model's own weights now. */
  get merged(): boolean {
    return this.#merged;
  }

  parameter(path: string): tf.Tensor | undefined {
    return this.#merged ? undefined : this.#copies.get(path);
  }

  delta(
    path: string,
    x: tf.Tensor,
    ctx: ForwardContext | undefined,
    product: (x: tf.Tensor) => tf.Tensor,
  ): tf.Tensor | undefined {
    const update = this.#merged ? undefined : this.#updates.get(path);
    if (!update) return undefined;
    const { a, b, bias, scale, magnitude } = update;
    const dropped = this.#dropout.forward(x, ctx);
    // The caller adds to the same product, so it outlives this function.
    const mapped = magnitude && product(dropped);
    return tf.tidy(() => {
      const map = (given: tf.Tensor, weight: tf.Tensor2D) =>
        linear(given, weight, undefined, 'out-in', 'none', ctx?.precision);
      const wide = map(map(dropped, a).mul(scale), b);
      const added = bias ? wide.add(bias.mul(scale)) : wide;
      if (!magnitude || !mapped) return added;
      const factor = magnitude.div(this.#normsOf(path, update));
      return mapped.mul(factor.sub(1)).add(added.mul(factor));
    });
  }

  /** `‖W + ΔW‖` of each output. */
  #normsOf(path: string, update: LoraUpdate): tf.Tensor1D {
    const weight = `${path}.weight`;
    return outputNorms(path, this.#base.matrices()[weight]!, update, this.#copies.get(weight));
  }

  /**
   * Adds the updates to the model's weights, and replaces its parameters by the copies, so that a forward
   * costs no more than without an adapter.
   *
   * @throws InputError where they are merged already, or a weight is packed; nothing is changed then
   */
  merge(): void {
    if (this.#merged) throw new InputError('LoRA: the updates are merged already');
    addToWeights(this.#base, { updates: this.#updates, copies: this.#copies }, 1);
    this.#merged = true;
  }

  /**
   * Takes the updates out of the model's weights again: equal but for rounding to those before `merge`.
   *
   * @throws InputError where they are not merged
   */
  unmerge(): void {
    if (!this.#merged) throw new InputError('LoRA: the updates are not merged');
    addToWeights(this.#base, { updates: this.#updates, copies: this.#copies }, -1);
    this.#merged = false;
  }
}

function checkSizes(of: string, { rank, alpha }: { rank: number; alpha: number }): void {
  if (!(Number.isInteger(rank) && rank >= 1)) {
    throw new InputError(`LoRA: rank${of} is ${rank}; expected a whole number of at least 1`);
  }
  if (!Number.isFinite(alpha)) {
    throw new InputError(`LoRA: alpha${of} is ${alpha}; expected a finite number`);
  }
}
