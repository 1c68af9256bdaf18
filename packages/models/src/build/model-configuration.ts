import type { Activation } from '@headwise/layers';
import type { RotaryScaling } from '@headwise/positions';

/** How a model knows the order of its tokens. */
export type PositionPart =
  | { kind: 'none' }
  | { kind: 'learned' }
  | { kind: 'sinusoidal' }
  | RotaryPart
  /** `factor`: of the slopes, default 1; `rounding`: of the biases, as in transformers' Falcon, default none. */
  | { kind: 'alibi'; factor?: number | undefined; rounding?: 'bfloat16' | undefined }
  | { kind: 't5'; buckets: number; maxDistance: number }
  | { kind: 'shaw'; clip: number }
  | TransformerXLPart;

/** Relative positions with `u` and `v`, and blocks that recur over segments through `ctx.memory`. */
export interface TransformerXLPart {
  kind: 'transformer-xl';
  /** Distances beyond it count as it; default none. */
  maxDistance?: number | undefined;
  /** Whether all layers have one `u` and one `v`; default no. */
  sharedBiases?: boolean | undefined;
}

export interface RotaryPart {
  kind: 'rotary';
  base?: number | undefined;
  scaling?: RotaryScaling | undefined;
  /** The length that scaling starts from; default the longest sequence. */
  trainedLength?: number | undefined;
}

/** How tokens become the input of the first block. */
export interface EmbeddingPart {
  /** What embeddings are multiplied by; default 1. */
  scale?: number | undefined;
  /** Whether they are normalised; default no. */
  norm?: boolean | undefined;
  /** The padding id, whose embedding gets no gradient from lookups; default none. */
  padId?: number | undefined;
  /** Clusters of tokens, each narrower than the one before by `divisor`; default one table of width D. */
  adaptive?: { width: number; cutoffs: readonly number[]; divisor: number } | undefined;
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

/** How a query and a key are compared. */
export interface ScorePart {
  kind: 'scaled-dot-product' | 'dot-product' | 'general' | 'additive';
  /** What products are multiplied by, where not by what the kind says. */
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
 * How attention and the feed-forward layer are joined: `pre-norm` and `post-norm` one after the other; `normed-stream`
 * like `pre-norm`, but what is added to is the norm's output; `parallel` both on the output of one norm;
 * `parallel-two-norms` each on that of its own.
 */
export type BlockKind =
  | 'pre-norm'
  | 'post-norm'
  | 'normed-stream'
  | 'parallel'
  | 'parallel-two-norms';

/** Scores of labels for a sequence, from its last token. */
export interface ClassificationHead {
  kind: 'sequence-classification';
  labels: number;
  /** The id of padding, which is not the last token; default: nothing is padding. */
  padId?: number | undefined;
}

/** Log-probabilities of tokens by an adaptive embedding's own tables. */
export interface AdaptiveHead {
  kind: 'adaptive';
  /** Which of its projections are the embedding's. */
  tied: readonly boolean[];
}

/** What a model makes of its last hidden states; `tied`: scores of tokens by the embeddings' own matrix. */
export type HeadPart =
  | { kind: 'language-model'; tied: boolean }
  /** The last hidden states themselves. */
  | { kind: 'none' }
  | AdaptiveHead
  | ClassificationHead;

/** What a model is made of: every part by its kind, every size by its number. */
export interface ModelConfiguration {
  model_type: 'headwise';
  /** Who sees whom: the tokens before, all, or those of a source besides. */
  topology: 'decoder' | 'encoder' | 'encoder-decoder';
  /** `V` */
  vocabSize: number;
  /** The longest sequence. */
  maxLength: number;
  /** `D` */
  dim: number;
  /** `L`; of an encoder-decoder, on each side. */
  layers: number;
  embedding?: EmbeddingPart | undefined;
  position: PositionPart;
  heads: HeadsPart;
  /** Default `scaled-dot-product`. */
  score?: ScorePart | undefined;
  norm: NormPart;
  feedForward: FeedForwardPart;
  block: BlockKind;
  /** Whether the last block's output is normalised; default as `block` needs it: not after `post-norm`. */
  finalNorm?: boolean | undefined;
  /** Of what is added to the residual stream; default 0. */
  dropout?: number | undefined;
  head: HeadPart;
  /** The id that every output of an encoder-decoder starts with; default 0. */
  startId?: number | undefined;
  /** How weights of matrices lie, in memory as in the checkpoint; default `in-out`. */
  layout?: 'in-out' | 'out-in' | undefined;
  /** The standard deviation of initial weights, default 0.02; `byDepth`: over `√(2 L)` for what is added to the stream. */
  init?: { std?: number | undefined; byDepth?: boolean | undefined } | undefined;
}

/** What a decoder is made of. */
export type DecoderConfiguration = ModelConfiguration & { topology: 'decoder' };
