import type { RotaryLayout } from '@headwise/kernels';
import type { DisentangledTerm, DistanceRows } from './disentangled.js';
import type { RotaryScaling } from './rotary-scaling.js';
import type { SinusoidalLayout } from './sinusoidal.js';

/** The settings of every kind of position, as the configuration of a model holds them. */
export interface PositionParts {
  none: { kind: 'none' };
  learned: LearnedPart;
  sinusoidal: SinusoidalPart;
  rotary: RotaryPart;
  alibi: AlibiPart;
  t5: T5Part;
  shaw: ShawPart;
  'transformer-xl': TransformerXLPart;
  disentangled: DisentangledPart;
}

/** A position encoding by its kind, with its settings. */
export type NamedPosition = PositionParts[keyof PositionParts];

/** A learned vector for each position. */
export interface LearnedPart {
  kind: 'learned';
  /** Rows of the table before the first position's, as in BART; default 0. */
  offset?: number | undefined;
  /**
   * The id of padding, for encoders that count tokens and not places, as RoBERTa does: the first token has row
   * `padId + 1`, and padding row `padId`, which gets no gradient. Default: places are counted.
   */
  padId?: number | undefined;
  /** T5's relative biases of scores besides, shared by all layers, as in MPNet; default none. */
  relative?: Pick<T5Part, 'buckets' | 'maxDistance'> | undefined;
}

/** Sines and cosines of each position. */
export interface SinusoidalPart {
  kind: 'sinusoidal';
  /** Whether sines and cosines alternate, the default, or lie in two halves. */
  layout?: SinusoidalLayout | undefined;
  /** Whether frequencies reach 1/10,000 itself, as in M2M100: `10000^(−i/(D/2 − 1))`; default `10000^(−2i/D)`. */
  inclusive?: boolean | undefined;
  /**
   * The id of padding, for models that count tokens and not places, as M2M100 does: the first token has position
   * `padId + 1`, and padding zeros. Default: places are counted, from 0.
   */
  padId?: number | undefined;
}

/** The angles of rotary positions. */
export interface RotaryRule {
  /** Default 10,000. */
  base?: number | undefined;
  scaling?: RotaryScaling | undefined;
  /** The length that scaling starts from; default the longest sequence. */
  trainedLength?: number | undefined;
}

/** Which rotary positions a layer has: those of the part itself, those of its `local` rule, or none. */
export type RotaryLayer = 'global' | 'local' | 'none';

/** Rotations of queries and keys. */
export interface RotaryPart extends RotaryRule {
  kind: 'rotary';
  /** `R`, how many of a head's first channels turn; default all. */
  rotaryDim?: number | undefined;
  /** Which channels turn together; default `half-split`. */
  layout?: RotaryLayout | undefined;
  /** Another rule, of the layers that `layers` calls local, as those with a window in Gemma 3. */
  local?: RotaryRule | undefined;
  /** One entry for each layer; default all global. */
  layers?: readonly RotaryLayer[] | undefined;
}

/** A bias that falls linearly with the distance. */
export interface AlibiPart {
  kind: 'alibi';
  /** Factor of the slopes; default 1. */
  factor?: number | undefined;
  /** Rounding of the biases, as in transformers' Falcon; default none. */
  rounding?: 'bfloat16' | undefined;
}

/** A learned bias for each head and bucket of distances. */
export interface T5Part {
  kind: 't5';
  /** The number of buckets. */
  buckets: number;
  /** Distances beyond it share the last bucket. */
  maxDistance: number;
  /** Whether every layer has biases of its own, as in umT5; default one table for all. */
  perLayer?: boolean | undefined;
}

/** Learned vectors of clipped distances, added to keys and values. */
export interface ShawPart {
  kind: 'shaw';
  /** K: distances beyond it count as it. */
  clip: number;
}

/** Relative positions with `u` and `v`, and blocks that recur over segments through `ctx.memory`. */
export interface TransformerXLPart {
  kind: 'transformer-xl';
  /** Distances beyond it count as it; default none. */
  maxDistance?: number | undefined;
  /** Whether all layers have one `u` and one `v`; default no. */
  sharedBiases?: boolean | undefined;
}

/** Learned vectors of distances that become keys and queries, as in DeBERTa; in encoders alone. */
export interface DisentangledPart extends DistanceRows {
  kind: 'disentangled';
  terms: readonly DisentangledTerm[];
  /** Whether vectors become keys and queries by the layer's own projections; default by others, of each layer. */
  sharedProjections?: boolean | undefined;
  /** The epsilon of a norm of the vectors; default no norm. */
  normEpsilon?: number | undefined;
  /** Of the vectors; default 0. */
  dropout?: number | undefined;
  /** Whether a learned vector for each place is added to the embeddings besides; default no. */
  absolute?: boolean | undefined;
}
