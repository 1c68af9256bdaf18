import type { DecoderSettings, ModelConfiguration } from '@headwise/models';

/** A model by its sizes and the kinds of its parts, which may be those of a known family. */
export interface ModelParts {
  /** Model width, divisible by `heads`. */
  dim: number;
  heads: number;
  layers: number;
  /** Tokens in a window, and the longest sequence. */
  context: number;
  /** Heads of keys and values; absent: as many as heads. */
  kvHeads?: number | undefined;
  /** Tokens that a query sees, itself the last; absent: all. */
  window?: number | undefined;
  /** Width of the feed-forward layers; absent: 4 `dim`. */
  hidden?: number | undefined;
  dropout: number;
  score: 'scaled-dot-product' | 'dot-product' | 'general' | 'additive';
  position: 'learned' | 'sinusoidal' | 'rotary' | 'alibi' | 't5' | 'shaw' | 'none';
  block: 'pre-norm' | 'post-norm' | 'parallel';
  norm: 'layer' | 'rms';
  feedForward: 'gelu_new' | 'relu' | 'silu' | 'relu2' | 'gated-silu';
  /** Whether each head's queries and keys are normalised, and their products scaled by 1.36 / √Dh. */
  qkNorm: boolean;
  /** Whether embeddings are normalised as they are looked up. */
  embeddingNorm: boolean;
  /** Whether the output's matrix is the table of embeddings. */
  tied: boolean;
  /**
   * How weights start: normal with a deviation of 0.02, those that are added to the residual stream less by depth; or normal
   * with 0.87 / √dim, and those that are added, and an output matrix of its own, zero.
   */
  init: 'by-depth' | 'zero';
}

/** The parts that no family of Hugging Face's has, as a family has them. */
const usual = { qkNorm: false, embeddingNorm: false, tied: true, init: 'by-depth' } as const;

/** The width of the feed-forward layers. */
export function hiddenOf({ hidden, dim }: Pick<ModelParts, 'hidden' | 'dim'>): number {
  return hidden ?? 4 * dim;
}

/** The family of Hugging Face's that has these parts; `headwise` where none has, whose folders only this project loads. */
export function partsFamily(model: ModelParts): 'gpt2' | 'llama' | 'headwise' {
  const { position, norm, feedForward, block, score, heads, kvHeads = heads, window } = model;
  if (Object.entries(usual).some(([key, value]) => model[key as keyof ModelParts] !== value)) {
    return 'headwise';
  }
  if (block !== 'pre-norm' || score !== 'scaled-dot-product' || window !== undefined) {
    return 'headwise';
  }
  const gated = feedForward === 'gated-silu';
  if (position === 'learned' && norm === 'layer' && !gated && kvHeads === heads) return 'gpt2';
  const isLlama = position === 'rotary' && norm === 'rms' && gated && model.dropout === 0;
  return isLlama ? 'llama' : 'headwise';
}

/** The configuration of a model of these parts: a known family's where the parts are its own. */
export function partsConfig(
  model: ModelParts,
  vocabSize: number,
): ModelConfiguration | DecoderSettings {
  const family = partsFamily(model);
  if (family === 'gpt2') return gpt2Config(model, vocabSize);
  return family === 'llama' ? llamaConfig(model, vocabSize) : typedConfig(model, vocabSize);
}

function gpt2Config(model: ModelParts, vocabSize: number): DecoderSettings {
  return {
    model_type: 'gpt2',
    vocab_size: vocabSize,
    n_positions: model.context,
    n_embd: model.dim,
    n_layer: model.layers,
    n_head: model.heads,
    ...(model.hidden ? { n_inner: model.hidden } : {}),
    activation_function: model.feedForward,
    embd_pdrop: model.dropout,
    resid_pdrop: model.dropout,
    attn_pdrop: model.dropout,
    bos_token_id: null,
    eos_token_id: null,
  };
}

function llamaConfig(model: ModelParts, vocabSize: number): DecoderSettings {
  return {
    model_type: 'llama',
    vocab_size: vocabSize,
    max_position_embeddings: model.context,
    hidden_size: model.dim,
    num_hidden_layers: model.layers,
    num_attention_heads: model.heads,
    num_key_value_heads: model.kvHeads ?? model.heads,
    intermediate_size: hiddenOf(model),
    tie_word_embeddings: true,
    bos_token_id: null,
    eos_token_id: null,
  };
}

/** Scores of normalised queries and keys are at most this times `√Dh`; 0.12 for heads of 128 in modded-nanogpt (Jordan et al. 2024). */
const normalisedScale = 1.36;

function typedConfig(model: ModelParts, vocabSize: number): ModelConfiguration {
  const { dropout, dim, heads, qkNorm, tied } = model;
  const gated = model.feedForward === 'gated-silu';
  return {
    model_type: 'headwise',
    topology: 'decoder',
    vocabSize,
    maxLength: model.context,
    dim,
    layers: model.layers,
    embedding: { dropout, norm: model.embeddingNorm },
    position: positionOf(model),
    heads: {
      count: heads,
      kv: model.kvHeads,
      bias: { qkv: true, out: true },
      qkNorm,
      window: model.window,
      dropout,
    },
    score: {
      kind: model.score,
      ...(qkNorm ? { scale: normalisedScale / Math.sqrt(dim / heads) } : {}),
    },
    norm: { kind: model.norm },
    feedForward: {
      kind: gated ? 'gated' : 'plain',
      hidden: hiddenOf(model),
      activation: gated
        ? 'silu'
        : (model.feedForward as Exclude<ModelParts['feedForward'], 'gated-silu'>),
      bias: !gated,
    },
    block: model.block,
    dropout,
    head: { kind: 'language-model', tied },
    init:
      model.init === 'zero'
        ? { std: 0.87 / Math.sqrt(dim), zero: ['residual', 'head'] }
        : { byDepth: true },
  };
}

/** Positions with the sizes that their papers use. */
function positionOf({ position, context }: ModelParts): ModelConfiguration['position'] {
  if (position === 't5') return { kind: 't5', buckets: 32, maxDistance: 128 };
  return position === 'shaw' ? { kind: 'shaw', clip: Math.min(16, context) } : { kind: position };
}
