import type { ParamStore } from '@headwise/core';
import type { Matrix } from '@headwise/core/internal';
import type {
  StepExperts,
  StepFeedForward,
  StepLayer,
  StepLinear,
  StepPlan,
  StepRotary,
} from '@headwise/decoding';
import { PackedWeight } from '@headwise/kernels';
import { type DecodeWeight, type Norm, sizesOf, widestStepHead } from '@headwise/kernels/internal';
import { rotaryTable } from '@headwise/positions';
import type { FusedPosition } from '@headwise/positions/internal';
import * as tf from '@tensorflow/tfjs';
import { scoreScale } from './attention.js';
import { denseInstead } from './layers.js';
import type {
  BlockKind,
  ExpertsPart,
  LanguageModelHead,
  ModelConfiguration,
  NamedFeedForward,
  NamedNorm,
  NamedScore,
} from './model-configuration.js';
import { fusedPosition } from './positions.js';
import { ownPartsOf } from './written.js';

/**
 * The fused step of a decoder that a configuration describes; undefined where one of its parts has no fused form.
 *
 * @param params of the model, which the plan refers to
 */
export function makeStepPlan(
  params: ParamStore,
  config: ModelConfiguration,
  head: LanguageModelHead,
): StepPlan | undefined {
  const { layers, block, finalNorm = block !== 'post-norm', embedding = {} } = config;
  if (!hasStep(config)) return undefined;
  const position = fusedPosition(config);
  if (!position) return undefined;
  const made: tf.Tensor[] = [];
  const parts = new StepParts(params, config, position, made);
  const table = parts.table('tokens');
  const { tied, scale, softCap } = head;
  const weights = tied ? table : parts.table('head');
  const blocks = Array.from({ length: layers }, (_, i) => parts.layer(i));
  if (!table || !weights || blocks.includes(undefined)) {
    tf.dispose(made);
    return undefined;
  }
  return {
    embedding: {
      table: [table],
      scale: embedding.scale,
      positions: parts.positions(),
      norm: embedding.norm ? parts.norm('embeddingNorm') : undefined,
    },
    rotary: rotaryOf(position),
    layers: blocks as StepLayer[],
    norm: finalNorm ? parts.norm('norm') : undefined,
    head: {
      weights: [weights],
      bias: head.bias ? parts.vector('head.bias') : undefined,
      scale,
      softCap,
    },
    dispose: () => tf.dispose(made),
  };
}

/** A configuration without parts of one's own, which have no fused form. */
type Named = ModelConfiguration & {
  score?: NamedScore | undefined;
  norm: NamedNorm;
  feedForward: NamedFeedForward | ExpertsPart;
  block: BlockKind;
};

/** Whether every part of a configuration but its position has a fused form in a step. */
function hasStep(config: ModelConfiguration): config is Named {
  const { embedding = {}, score = { kind: 'scaled-dot-product' } } = config;
  return (
    ownPartsOf(config).length === 0 &&
    embedding.adaptive === undefined &&
    headDim(config) <= widestStepHead &&
    (score.kind === 'scaled-dot-product' || score.kind === 'dot-product')
  );
}

/** Parts of a step, from the parameters of a model. */
class StepParts {
  readonly #params: ParamStore;
  readonly #config: Named;
  readonly #position: FusedPosition;
  readonly #variables: Record<string, tf.Variable>;
  readonly #matrices: Record<string, Matrix>;
  readonly #made: tf.Tensor[];
  readonly #slopes: tf.Tensor1D | undefined;

  /** @param made gets the tensors that had to be made */
  constructor(params: ParamStore, config: Named, position: FusedPosition, made: tf.Tensor[]) {
    this.#params = params;
    this.#config = config;
    this.#variables = params.named();
    this.#matrices = params.matrices();
    this.#made = made;
    this.#position = position;
    const { slopes } = position;
    if (slopes) this.#slopes = this.#make(() => tf.tensor1d(slopes));
  }

  /** A matrix of rows for tokens, `[V, D]`. */
  table(name: string): DecodeWeight | undefined {
    return this.#weight(this.#params.at(name).path, 'out-in');
  }

  /** Vectors that are added by position, `[maxLength, D]`. */
  positions(): tf.Tensor2D | undefined {
    const { rows, offset = 0 } = this.#position;
    if (rows === undefined) return undefined;
    if (typeof rows === 'string') {
      const path = `${this.#params.at('positions').path}.${rows}`;
      const table = this.#variables[path] as unknown as tf.Tensor2D | undefined;
      if (!table || offset === 0) return table;
      return this.#make(() => table.slice([offset, 0], [-1, -1]));
    }
    const { dim } = this.#config;
    return this.#make(() => tf.tensor2d(rows, [rows.length / dim, dim]));
  }

  vector(path: string): tf.Tensor | undefined {
    return this.#variables[path];
  }

  norm(name: string): Norm {
    return this.#norm(this.#params.at(name).path);
  }

  layer(index: number): StepLayer | undefined {
    const { heads, score = { kind: 'scaled-dot-product' }, block, residualScale } = this.#config;
    const params = this.#params.at('blocks').at(index);
    const attention = params.at('attn');
    const names = heads.projection === 'fused' ? ['qkv'] : ['qProj', 'kProj', 'vProj'];
    const qkv = this.#linear(names.map((name) => attention.at(name).path));
    const out = this.#linear([attention.at('outProj').path]);
    const part = denseInstead(this.#config, index) ?? this.#config.feedForward;
    const feedForward =
      part.kind === 'experts'
        ? this.#experts(params.at('mlp'), part)
        : this.#feedForward(params.at('mlp'), part);
    if (!qkv || !out || !feedForward) return undefined;
    const { window = null } = heads;
    const width = typeof window === 'object' && window ? window[index] : (window as number | null);
    const scale = score.kind === 'dot-product' ? 1 : 1 / Math.sqrt(headDim(this.#config));
    return {
      path: attention.path,
      kind: block,
      norm1: this.#optionalNorm(params.at('norm1').path) ?? { kind: 'none' },
      norm2: this.#optionalNorm(params.at('norm2').path),
      mixNorm: this.#optionalNorm(params.at('mixNorm').path),
      mlpNorm: this.#optionalNorm(params.at('mlpNorm').path),
      residualScale,
      qkv,
      headNorms: heads.qkNorm
        ? { q: this.#norm(attention.at('qNorm').path), k: this.#norm(attention.at('kNorm').path) }
        : undefined,
      acrossHeads: heads.qkNorm === 'across-heads',
      kvHeads: heads.kv ?? heads.count,
      rotary: this.#position.rotationOf?.(index),
      scoring: {
        heads: heads.count,
        headDim: headDim(this.#config),
        scale: scoreScale(this.#config, index) ?? scale,
        slopes: this.#slopes,
        softCap: score.softCap,
        window: width ?? undefined,
      },
      out,
      feedForward,
    };
  }

  #experts(
    params: ParamStore,
    { active, normalize = true, activation = 'silu' }: ExpertsPart,
  ): StepExperts | undefined {
    const weight = (name: string) => this.#weight(params.at('experts').at(name).path, 'out-in');
    const [gate, up, down] = [weight('gate'), weight('up'), weight('down')];
    if (!gate || !up || !down) return undefined;
    const router = this.#variables[`${params.at('router').path}.weight`] as unknown as tf.Tensor2D;
    return { router, gate, up, down, active, normalize, activation };
  }

  #feedForward(
    params: ParamStore,
    { kind, activation }: NamedFeedForward,
  ): StepFeedForward | undefined {
    const down = this.#linear([params.at('down').path]);
    const names = kind === 'gated' ? ['gate', 'up'] : ['up'];
    const into = this.#linear(names.map((name) => params.at(name).path));
    if (!down || !into) return undefined;
    const { weights, bias } = into;
    const [first, second] = weights;
    const own = activation ?? (kind === 'gated' ? 'silu' : 'gelu');
    if (!second) return { up: first!, bias, activation: own, down };
    return { gate: first!, up: second, bias, activation: own, down };
  }

  /** Linear maps of one input, side by side. */
  #linear(paths: readonly string[]): StepLinear | undefined {
    const weights = paths.map((path) => this.#weight(path, this.#config.layout ?? 'in-out'));
    if (weights.includes(undefined)) return undefined;
    const biases = paths.map((path) => this.#variables[`${path}.bias`]);
    if (biases.every((bias) => bias === undefined))
      return { weights: weights as DecodeWeight[], bias: undefined };
    // A map without a bias, beside others that have one, adds zeros.
    const parts = () => biases.map((bias, i) => bias ?? tf.zeros([sizesOf(weights[i]!)[1]]));
    const bias =
      biases.length > 1 ? this.#make(() => tf.concat(parts() as tf.Tensor1D[])) : biases[0];
    return { weights: weights as DecodeWeight[], bias };
  }

  #weight(path: string, layout: 'in-out' | 'out-in'): DecodeWeight | undefined {
    const matrix = this.#matrices[`${path}.weight`];
    const { packed, variable = this.#variables[`${path}.weight`] } = matrix ?? {};
    if (packed) return packed instanceof PackedWeight ? packed : undefined;
    if (!variable) return undefined;
    return { values: variable as unknown as tf.Tensor2D, layout: matrix?.layout ?? layout };
  }

  #optionalNorm(path: string): Norm | undefined {
    return this.#variables[`${path}.weight`] && this.#norm(path);
  }

  #norm(path: string): Norm {
    const { kind, epsilon, offset = 0 } = this.#config.norm;
    const stored = this.#variables[`${path}.weight`]!;
    const weight = offset === 0 ? stored : this.#make(() => stored.add(offset));
    const more = epsilon === undefined ? {} : { epsilon };
    return kind === 'layer'
      ? { kind, weight, bias: this.#biasOf(path, stored), ...more }
      : { kind, weight, ...more };
  }

  /** The bias of a layer norm; zeros for one without. */
  #biasOf(path: string, weight: tf.Tensor): tf.Tensor {
    return this.#variables[`${path}.bias`] ?? this.#make(() => tf.zerosLike(weight));
  }

  #make<T extends tf.Tensor>(make: () => T): T {
    const tensor = tf.tidy(() => tf.keep(make()));
    this.#made.push(tensor);
    return tensor;
  }
}

const rotaryOf = ({ rotations }: FusedPosition): StepRotary[] | undefined =>
  rotations?.map((rotation) => ({
    layout: rotation.layout ?? 'half-split',
    table: (count) => rotaryTable(rotation, count),
  }));

/** `Dh` */
const headDim = ({ heads, dim }: ModelConfiguration): number => heads.dim ?? dim / heads.count;
