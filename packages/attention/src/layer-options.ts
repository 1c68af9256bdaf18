import type { Initializer, Layer, ParamStore } from '@headwise/core';
import type { Mask, ScoreMod } from '@headwise/kernels';
import type { Dropout } from '@headwise/layers';
import type { ProjectionOptions } from './projections.js';
import type { ScoreKind } from './scores/score.js';

/** Options that self- and cross-attention share. */
export interface AttentionLayerOptions extends ProjectionOptions {
  /** The width of the output; default `dim`. */
  outDim?: number | undefined;
  /** Which keys a query may see; default `none`. */
  mask?: Mask | undefined;
  /** The score function of queries and keys; default `scaledDotProductScore`. */
  score?: ScoreKind | undefined;
  /** What products are multiplied by, where not by what the score says: `1 / √Dh`. */
  scale?: number | undefined;
  /** What is done to scores, after positions, in this order. */
  mods?: readonly ScoreMod[] | undefined;
  /** A learned score for each head that takes part in the softmax and has no value; default false. */
  sinks?: boolean | undefined;
  /** Makes the norms of queries and keys, `qNorm` and `kNorm`, of so many channels: each head's `Dh`. */
  qkNorm?: ((params: ParamStore, dim: number) => Layer) | undefined;
  /** Whether those norms are of all heads of a token at once, `H Dh` and `Hkv Dh` channels; default no. */
  qkNormAcross?: boolean | undefined;
  /** Of the attention weights, in training. */
  dropout?: Dropout | undefined;
  /** How the output projection starts, where it is scaled by depth. */
  outInit?: Initializer | undefined;
}
