import {
  type ForwardContext,
  type Initializer,
  InputError,
  initializers,
  type Layer,
  type ParamStore,
} from '@headwise/core';
import { gatherRows, linear } from '@headwise/kernels';
import { checkIds, vocabularyOf } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';

export interface AdaptiveEmbeddingOptions {
  /** `V`, the number of rows, the most frequent first. */
  count: number;
  /** `D`, the width of what a look-up gives. */
  dim: number;
  /** The width of the first cluster's rows; default `dim`. */
  width?: number | undefined;
  /** The first row of each cluster but the first; default none. */
  cutoffs?: readonly number[] | undefined;
  /** How much narrower each cluster is than the one before; default 1, where there is one alone. */
  divisor?: number | undefined;
  /** How the parameters start; default normal with standard deviation 0.02. */
  init?: Initializer | undefined;
}

/** Rows `first` to `end` of the vocabulary. */
interface Cluster {
  first: number;
  end: number;
  /** `[end − first, E]` */
  table: tf.Tensor2D;
  /** `[D, E]`; none where E is D and there is one cluster. */
  projection: tf.Tensor2D | undefined;
}

/**
 * A table of learned rows whose clusters are the narrower the rarer they are: `P_c E_c[id]`.
 *
 * Parameters: `tables.0.weight` …, `[rows, E_c]`, and `projections.0.weight` …, `[D, E_c]`.
 *
 * @see Baevski and Auli 2019, https://arxiv.org/abs/1809.10853
 */
export class AdaptiveEmbedding implements Layer {
  readonly clusters: readonly Cluster[];
  readonly dim: number;

  /** @throws InputError unless cutoffs grow and widths stay whole */
  constructor(params: ParamStore, options: AdaptiveEmbeddingOptions) {
    const {
      count,
      dim,
      width = dim,
      cutoffs = [],
      divisor = 1,
      init = initializers.normal(0.02),
    } = options;
    checkCutoffs(cutoffs, count);
    this.dim = dim;
    const ends = [...cutoffs, count];
    this.clusters = ends.map((end, c) => {
      const first = ends[c - 1] ?? 0;
      const own = Math.floor(width / divisor ** c);
      if (own < 1) {
        throw new InputError(
          `adaptive embedding: width ${width} over divisor ${divisor} leaves nothing for cluster ${c}`,
        );
      }
      const table = params
        .at('tables')
        .at(c)
        .get('weight', [end - first, own], init);
      const projected = ends.length > 1 || own !== dim;
      return {
        first,
        end,
        table,
        projection: projected ? projection(params, c, [dim, own], init) : undefined,
      };
    });
  }

  /**
   * @param ids `[...]`, int32, each in [0, count)
   * @returns `[..., D]`
   * @throws InputError as `Embedding` does
   */
  forward(ids: tf.Tensor, _ctx?: ForwardContext): tf.Tensor {
    checkIds(ids, vocabularyOf(this.clusters.at(-1)!.end));
    return tf.tidy(() => {
      const parts = this.clusters.map(({ first, end, table, projection }) => {
        const own = ids
          .sub(first)
          .clipByValue(0, end - first - 1)
          .toInt();
        const rows = gatherRows(table, own, 'trusted'); // [..., E]
        const placed = projection ? linear(rows, projection, undefined, 'out-in') : rows;
        if (this.clusters.length === 1) return placed;
        const inside = ids.greaterEqual(first).logicalAnd(ids.less(end));
        return placed.mul(inside.toFloat().expandDims(-1));
      });
      return tf.addN(parts);
    });
  }
}

/**
 * Log-probabilities of the rows of an adaptive embedding: of the first cluster's rows and of the other
 * clusters in one softmax, of the rows of each other cluster in one of its own.
 *
 * `log p(id) = log p(c) + log softmax(E_c P_cᵀ x + b_c)[id]`
 *
 * Parameters: `tables.0.bias` …, `clusters.weight` `[C, E_0]` and `clusters.bias` where there are several clusters,
 * `projections.0.weight` … where they are not the embedding's.
 *
 * @see Grave et al. 2017, https://arxiv.org/abs/1609.04309
 */
export class AdaptiveSoftmax implements Layer {
  readonly #clusters: readonly (Cluster & { bias: tf.Tensor1D })[];
  readonly #heads: { weight: tf.Tensor2D; bias: tf.Tensor1D } | undefined;

  /** @param tied which projections are the embedding's; default all */
  constructor(
    params: ParamStore,
    embedding: AdaptiveEmbedding,
    {
      tied = [],
      init = initializers.normal(0.02),
    }: { tied?: readonly boolean[] | undefined; init?: Initializer | undefined } = {},
  ) {
    this.#clusters = embedding.clusters.map((cluster, c) => {
      const { first, end, table } = cluster;
      const shape = [embedding.dim, table.shape[1]] as const;
      const own = cluster.projection && !(tied[c] ?? true);
      return {
        ...cluster,
        projection: own ? projection(params, c, shape, init) : cluster.projection,
        bias: params
          .at('tables')
          .at(c)
          .get('bias', [end - first], initializers.zeros),
      };
    });
    const others = this.#clusters.length - 1;
    if (others === 0) return;
    const width = this.#clusters[0]!.table.shape[1];
    const heads = params.at('clusters');
    this.#heads = {
      weight: heads.get('weight', [others, width], initializers.zeros),
      bias: heads.get('bias', [others], initializers.zeros),
    };
  }

  /** @param x `[..., D]` @returns log-probabilities `[..., V]` */
  forward(x: tf.Tensor, _ctx?: ForwardContext): tf.Tensor {
    return tf.tidy(() => {
      const narrowed = ({ projection }: Cluster) =>
        projection ? linear(x, projection, undefined, 'in-out') : x; // [..., E]
      const [first, ...others] = this.#clusters;
      const own = linear(narrowed(first!), first!.table, first!.bias, 'out-in');
      if (!this.#heads) return tf.logSoftmax(own);
      const { weight, bias } = this.#heads;
      const heads = linear(narrowed(first!), weight, bias, 'out-in');
      const shortlist = own.shape.at(-1)!;
      const together = tf.logSoftmax(tf.concat([own, heads], -1));
      const [words, clusters] = tf.split(together, [shortlist, others.length], -1);
      const ofClusters = tf.split(clusters!, others.length, -1); // C of [..., 1]
      const rest = others.map((cluster, c) => {
        const scores = linear(narrowed(cluster), cluster.table, cluster.bias, 'out-in');
        return tf.logSoftmax(scores).add(ofClusters[c]!);
      });
      return tf.concat([words!, ...rest], -1);
    });
  }
}

function projection(
  params: ParamStore,
  cluster: number,
  shape: readonly [number, number],
  init: Initializer,
): tf.Tensor2D {
  const weight = params.at('projections').at(cluster).get('weight', shape, init);
  return weight;
}

function checkCutoffs(cutoffs: readonly number[], count: number): void {
  const grow = [0, ...cutoffs, count].every((end, i, all) => i === 0 || end > all[i - 1]!);
  if (grow && cutoffs.every(Number.isInteger)) return;
  throw new InputError(
    `adaptive embedding: cutoffs are [${cutoffs.join(', ')}]; expected whole numbers that grow, between 0 and ${count}`,
  );
}
