import type { Activation } from '@headwise/layers';
import type { NamedPosition } from '@headwise/positions';
import type { OwnPart } from './own-parts.js';

/** One kind of a part. */
export type OfKind<Part extends { kind: string }, K extends Part['kind']> = Part & { kind: K };

/** The position encoding. */
export type PositionPart = NamedPosition | OwnPart<'position'>;

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
  /** The number of token types (segments) of an encoder, each with a vector that is added; default none. */
  tokenTypes?: number | undefined;
  /**
   * `E`, the width of an encoder's tables, where it is not D: a linear map leads from the normalised embeddings to the first
   * block, as in ELECTRA and ALBERT.
   */
  width?: number | undefined;
  /** Of an encoder of pictures: their size and that of the patches that take the place of tokens; `vocabSize` is then 0. */
  patches?: PatchesPart | undefined;
  /** Of an encoder of sounds: the frames that take the place of tokens; `vocabSize` is then 0. */
  frames?: FramesPart | undefined;
  /**
   * The sides of an encoder-decoder that have a table of their own; default none, so that both share one. A tied head
   * reads the shared table, or the decoder's where there is none.
   */
  separate?: readonly ('encoder' | 'decoder')[] | undefined;
}

/** The patches of pictures. */
export interface PatchesPart {
  /** Of a picture. */
  height: number;
  width: number;
  /** Height and width of a patch; each divides the picture's. */
  size: readonly [number, number];
  channels: number;
  /** Whether the linear map of patches has a bias; default yes. */
  bias?: boolean | undefined;
  /**
   * Whether the vectors of places are a table `[N + 1, D]` and the first of all is `[D]`, as in CLIP; default `[1, N + 1, D]`
   * and `[1, 1, D]`, as in ViT.
   */
  table?: boolean | undefined;
}

/** The frames of sounds, such as log-mel features. Two convolutions of three frames each make one state of two frames. */
export interface FramesPart {
  /** Of a sound; even. */
  count: number;
  /** Values of each frame. */
  channels: number;
}

/** The layout of heads. */
export interface HeadsPart {
  /** `H` */
  count: number;
  /** `Hkv`, which divides H: `H / Hkv` neighbouring heads share keys and values; default H. */
  kv?: number | undefined;
  /** `Dh`; default `D / H`. */
  dim?: number | undefined;
  /** Biases of the projections; default none. `k`: of the keys, where it is not as `qkv` says, as in Whisper. */
  bias?: { qkv: boolean; k?: boolean | undefined; out: boolean } | undefined;
  /** Whether queries, keys and values come from one matrix; default `separate`. */
  projection?: 'separate' | 'fused' | undefined;
  /**
   * The number of tokens that a query sees, itself the last; in encoders so many on each side, itself counted. Null: all.
   * One for all layers, or one each.
   */
  window?: number | null | readonly (number | null)[] | undefined;
  /**
   * Whether queries and keys are normalised before positions, by the norm that `norm` names: `true`, each head over its
   * `Dh` channels; `across-heads`, all heads of a token at once, as in OLMo 2. Default no.
   *
   * @see Henry et al. 2020, https://arxiv.org/abs/2010.04245
   */
  qkNorm?: boolean | 'across-heads' | undefined;
  /** Of the attention weights. */
  dropout?: number | undefined;
}

/** The attention score function: how queries are compared with keys. */
export type ScorePart = NamedScore | OwnPart<'score'>;

export interface NamedScore {
  kind: 'scaled-dot-product' | 'dot-product' | 'general' | 'additive';
  /** What products are multiplied by, where not by what the kind says. */
  scale?: number | undefined;
  /** Whether scores of layer i are divided by `i + 1`, as in Mistral's GPT-2; default no. */
  byDepth?: boolean | undefined;
  /** c: a score s becomes `c tanh(s / c)`. */
  softCap?: number | undefined;
}

export type NormPart = NamedNorm | OwnPart<'norm'>;

export interface NamedNorm {
  kind: 'layer' | 'rms';
  epsilon?: number | undefined;
  /** Added to the weight, which starts at `1 − offset`: 1 in Gemma; default 0. */
  offset?: number | undefined;
  /** Whether a layer norm has a bias; default yes. */
  bias?: boolean | undefined;
}

export type FeedForwardPart = NamedFeedForward | ExpertsPart | OwnPart<'feedForward'>;

export interface NamedFeedForward {
  kind: 'plain' | 'gated';
  /** `F`; default `4 D`. */
  hidden?: number | undefined;
  activation?: Activation | undefined;
  bias?: boolean | undefined;
  /** Of the hidden values; default 0. */
  dropout?: number | undefined;
}

/** Gated feed-forward layers, of which a router chooses some for each token. */
export interface ExpertsPart {
  kind: 'experts';
  /** `E` */
  count: number;
  /** `k`: experts of a token. */
  active: number;
  /** `F`, of each expert. */
  hidden: number;
  activation?: Activation | undefined;
  /** Whether the weights of a token's experts are divided by their sum; default true. */
  normalize?: boolean | undefined;
  /** What the balance of the experts counts in a decoder's loss; default 0. */
  balance?: number | undefined;
  /** Layers that have a gated feed-forward layer instead, and its width. */
  dense?: { layers: readonly number[]; hidden: number } | undefined;
}

/**
 * How attention and the feed-forward layer are joined: `pre-norm` and `post-norm` one after the other; `sandwich-norm`
 * like `pre-norm`, with a norm of what each part gives besides, as in Gemma 2; `output-norm` with those norms alone, as
 * in OLMo 2; `normed-stream` like `pre-norm`, but what is added to is the norm's output; `parallel` both on the output
 * of one norm; `parallel-two-norms` each on the output of a norm for it alone.
 */
export type BlockKind =
  | 'pre-norm'
  | 'post-norm'
  | 'sandwich-norm'
  | 'output-norm'
  | 'normed-stream'
  | 'parallel'
  | 'parallel-two-norms';

/** Scores of tokens, from each hidden state. */
export interface LanguageModelHead {
  kind: 'language-model';
  /** Whether the weights are those of the table of tokens. */
  tied: boolean;
  /** Whether a number for each token is added to its score; default no. */
  bias?: boolean | undefined;
  /** What hidden states are multiplied by, as `1 / √D` in T5; default 1. */
  scale?: number | undefined;
  /** c: a decoder's score s becomes `c tanh(s / c)`, as in Gemma 2; default none. */
  softCap?: number | undefined;
}

/** What a head makes of hidden states first: `norm(f(h W + b))`. */
export interface TransformPart {
  /** f */
  activation: Activation;
  /** Whether there is a b; default yes. */
  bias?: boolean | undefined;
  /** Whether there is a norm, of the kind of the model's; default no. */
  norm?: boolean | undefined;
}

/** How an encoder's hidden states become the vector that a sequence is classified by: `norm(f(h W + b))` of one of them. */
export interface PoolerPart {
  /** f; default `tanh`. */
  activation?: Activation | undefined;
  /** Whether there is a b; default yes. */
  bias?: boolean | undefined;
  /** Whether there is a norm, of the kind of the model's; default no. */
  norm?: boolean | undefined;
  /** h: the first token's hidden state, or the mean over the tokens; default `first`. */
  of?: 'first' | 'mean' | undefined;
  /** Of h; default 0. */
  dropout?: number | undefined;
}

/** Scores of what each token was before it was masked: `norm(f(h W + b)) Eᵀ + c`. */
export interface MaskedLanguageModelHead {
  kind: 'masked-language-model';
  /** Whether E is the table of tokens. */
  tied: boolean;
  /** f; default that of the feed-forward layers. */
  activation?: Activation | undefined;
  /** Whether there is a b; default yes. */
  bias?: boolean | undefined;
  /** Whether the pooled first token says, besides, if a second sentence follows the first; default no. */
  nextSentence?: boolean | undefined;
}

/** Scores of labels for a sequence: from the last token of a decoder, or the first of an encoder. */
export interface ClassificationHead {
  kind: 'sequence-classification';
  labels: number;
  /** The id of padding, which is not the last token, as none is that the attention mask leaves out; default: the mask alone decides. */
  padId?: number | undefined;
  /** Of an encoder, before the scores; default none, and the first token's hidden state. */
  pooler?: PoolerPart | undefined;
  /** Of what the scores are made from; default 0. */
  dropout?: number | undefined;
  /** Whether scores have a bias; default no. */
  bias?: boolean | undefined;
}

/** One vector for a text or a picture, from one of its hidden states: `norm(h) W`. */
export interface EmbeddingHead {
  kind: 'embedding';
  /** h: the first, that of the first token with an id (the first of all where none has it), or of the first with the highest id. */
  of: 'first' | 'highest-id' | { id: number };
  /** Whether there is a norm, of the kind of the model's; default no. */
  norm?: boolean | undefined;
  /** `E`: W is `[D, E]`; default no W. */
  width?: number | undefined;
}

/** Log-probabilities of tokens by an adaptive embedding's own tables. */
export interface AdaptiveHead {
  kind: 'adaptive';
  /** Which of its projections are the embedding's. */
  tied: readonly boolean[];
}

/** What a model computes from its last hidden states. */
export type HeadPart =
  | LanguageModelHead
  | MaskedLanguageModelHead
  | AdaptiveHead
  | ClassificationHead
  | EmbeddingHead
  /** Whether a second sentence follows the first, from the pooled first token. */
  | { kind: 'next-sentence' }
  /** Scores of labels for every token. */
  | {
      kind: 'token-classification';
      labels: number;
      /** Before the scores; default none. */
      transform?: TransformPart | undefined;
      dropout?: number | undefined;
    }
  /** Scores of where an answer starts and ends. */
  | {
      kind: 'question-answering';
      /** Before the scores; default none. */
      transform?: TransformPart | undefined;
      dropout?: number | undefined;
    }
  /** A score for every token: positive where it was put in place of another, as ELECTRA is trained. */
  | { kind: 'replaced-tokens'; activation: Activation }
  /** The last hidden states themselves; `pooler`: and `tanh(h₀ W + b)` of the first. */
  | { kind: 'none'; pooler?: boolean | undefined };

/** The sizes in which the decoder of an encoder-decoder differs from its encoder. */
export interface DecoderSizes {
  /** The number of blocks. */
  layers?: number | undefined;
  /** `H` */
  heads?: number | undefined;
  /** `F` */
  hidden?: number | undefined;
  /** `V` of its table of tokens and of the scores, where it has a table of its own. */
  vocabSize?: number | undefined;
}

/** How weights start: normal, with a standard deviation. */
export interface InitPart {
  /** Default 0.02. */
  std?: number | undefined;
  /** Whether it is divided by `√(2 L)` for what is added to the residual stream; default no. */
  byDepth?: boolean | undefined;
  /**
   * Whether it is divided by the root of a matrix's inputs, and by `√Dh` besides for queries whose scores are not
   * scaled, as in T5; default no.
   */
  byFanIn?: boolean | undefined;
  /**
   * What starts at zero instead: matrices whose product is added to the residual stream, so that each block starts as
   * the identity; an output head with weights of its own, so that all tokens start equally likely. Default none.
   */
  zero?: readonly ('residual' | 'head')[] | undefined;
}

/** What a model is made of: every part by its kind, every size by its number. */
export interface ModelConfiguration {
  model_type: 'headwise';
  /** Who sees whom: the tokens before, all, or those of a source besides. */
  topology: 'decoder' | 'encoder' | 'encoder-decoder';
  /** `V` */
  vocabSize: number;
  /** The longest sequence; null for positions that set no limit. */
  maxLength: number | null;
  /** `D` */
  dim: number;
  /** `L`; of an encoder-decoder, on each side where `decoder` says nothing else. */
  layers: number;
  decoder?: DecoderSizes | undefined;
  /**
   * Of an encoder-decoder whose encoder is made otherwise than its decoder: the encoder's configuration, without a head. All else says
   * what the decoder is made of; where the widths differ, a linear map leads from one to the other. `states`: the caller has the states
   * `[B, Tk, D]` that an encoder would give. Default: both sides are alike.
   */
  encoder?: EncoderConfiguration | 'states' | undefined;
  embedding?: EmbeddingPart | undefined;
  position: PositionPart;
  heads: HeadsPart;
  /** Default `scaled-dot-product`. */
  score?: ScorePart | undefined;
  /** Which keys a query may see besides what the topology and a window allow; default all. */
  mask?: OwnPart<'mask'> | undefined;
  /** What is done to scores after positions, in this order. */
  mods?: readonly OwnPart<'mod'>[] | undefined;
  norm: NormPart;
  feedForward: FeedForwardPart;
  block: BlockKind | OwnPart<'block'>;
  /**
   * The block whose parameters each layer has, for encoders whose layers share them, as in ALBERT: the numbers of blocks, each
   * first after those below it. Default: each its own.
   */
  sharedBlocks?: readonly number[] | undefined;
  /** Whether the first block's attention has a norm before it; default as `block` says. False in ModernBERT. */
  firstNorm?: boolean | undefined;
  /** Whether the last block's output is normalised; default as `block` needs it: not after `post-norm`. */
  finalNorm?: boolean | undefined;
  /** What is added to the residual stream is multiplied by it, as in Granite; default 1. */
  residualScale?: number | undefined;
  /** Of what is added to the residual stream, or of what each part adds, as in DistilBERT and ALBERT; default 0. */
  dropout?: number | { attention: number; feedForward: number } | undefined;
  /** Of what leaves the last block or norm, as in T5; default 0. */
  finalDropout?: number | undefined;
  head: HeadPart;
  /** The id that every output of an encoder-decoder starts with; default 0. */
  startId?: number | undefined;
  /** How weights of matrices lie, in memory as in the checkpoint; default `in-out`. */
  layout?: 'in-out' | 'out-in' | undefined;
  init?: InitPart | undefined;
}

/** What an encoder is made of. */
export type EncoderConfiguration = ModelConfiguration & { topology: 'encoder' };

/** What a decoder is made of. */
export type DecoderConfiguration = ModelConfiguration & { topology: 'decoder' };
