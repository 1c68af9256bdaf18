import type { Activation } from '@headwise/layers';
import { z } from 'zod';
import { checkDivides, parseWith, rate, size } from './config.js';

/** How frequencies of rotary positions are stretched, as Hugging Face's `rope_scaling` spells it. */
export type RotaryScaling = { readonly rope_type: string } & Readonly<Record<string, unknown>>;

/** How a model knows the order of its tokens. */
export type PositionPart =
  | { kind: 'none' }
  | { kind: 'learned' }
  | { kind: 'sinusoidal' }
  | { kind: 'rotary'; base?: number | undefined; scaling?: RotaryScaling | undefined }
  | { kind: 'alibi' }
  | { kind: 't5'; buckets: number; maxDistance: number }
  | { kind: 'shaw'; clip: number };

/** How tokens become the input of the first block. */
export interface EmbeddingPart {
  /** What embeddings are multiplied by; default 1. */
  scale?: number | undefined;
  /** Whether they are normalised; default no. */
  norm?: boolean | undefined;
  dropout?: number | undefined;
}

/** The layout of heads. */
export interface HeadsPart {
  /** `H` */
  count: number;
  /** `Hkv`, which divides H: `H / Hkv` neighbouring heads share keys and values; default H. */
  kv?: number | undefined;
  /** `Dh`; default `D / H`. */
  dim?: number | undefined;
  /** Biases of the projections; default none. */
  bias?: { qkv: boolean; out: boolean } | undefined;
  /** Whether queries, keys and values come from one matrix; default `separate`. */
  projection?: 'separate' | 'fused' | undefined;
  /** The number of tokens that a query sees, itself the last; null: all. One for all layers, or one each. */
  window?: number | null | readonly (number | null)[] | undefined;
  /** Of the attention weights. */
  dropout?: number | undefined;
}

/** How a query and a key are compared: by their product. */
export interface ScorePart {
  /** What products are multiplied by; default `1 / √Dh`. */
  scale?: number | undefined;
  /** c: a score s becomes `c tanh(s / c)`. */
  softCap?: number | undefined;
}

export interface NormPart {
  kind: 'layer' | 'rms';
  epsilon?: number | undefined;
}

export interface FeedForwardPart {
  kind: 'plain' | 'gated';
  /** `F`; default `4 D`. */
  hidden?: number | undefined;
  activation?: Activation | undefined;
  bias?: boolean | undefined;
}

/**
 * How attention and the feed-forward layer are joined: `pre-norm` and `post-norm` one after the other; `parallel`
 * both on the output of one norm; `parallel-two-norms` each on that of its own.
 */
export type BlockKind = 'pre-norm' | 'post-norm' | 'parallel' | 'parallel-two-norms';

/** What a model makes of its last hidden states. */
export type HeadPart =
  | { kind: 'language-model'; tied: boolean }
  | { kind: 'sequence-classification'; labels: number; padId?: number | undefined };

/** What a model is made of: every part by its kind, every size by its number. */
export interface ModelConfiguration {
  model_type: 'headwise';
  topology: 'decoder';
  /** `V` */
  vocabSize: number;
  /** The longest sequence. */
  maxLength: number;
  /** `D` */
  dim: number;
  /** `L` */
  layers: number;
  embedding?: EmbeddingPart | undefined;
  position: PositionPart;
  heads: HeadsPart;
  score?: ScorePart | undefined;
  norm: NormPart;
  feedForward: FeedForwardPart;
  block: BlockKind;
  /** Of what is added to the residual stream; default 0. */
  dropout?: number | undefined;
  head: HeadPart;
  /** How weights of matrices lie, in memory as in the checkpoint; default `in-out`. */
  layout?: 'in-out' | 'out-in' | undefined;
  /** The standard deviation of initial weights; default 0.02. */
  initStd?: number | undefined;
}
