import type { LanguageModel } from '@headwise/core';
import {
  createModel,
  type DecoderSettings,
  languageModel,
  type Model,
  type ModelConfiguration,
  modelSize,
} from '@headwise/models';
import { familyOf } from './family-of.js';
import type { RunConfig } from './run-config.js';
import { hiddenOf } from './size.js';

type ModelConfig = RunConfig['model'];

/** The model of a configuration, its parameters drawn from a seed. */
export function buildModel(
  model: ModelConfig,
  vocabSize: number,
  seed: number,
): Model<LanguageModel> {
  return languageModel(createModel(configurationOf(model, vocabSize), { seed }));
}

/** The number of parameters of a model, none of which is made. */
export const countParameters = (model: ModelConfig, vocabSize: number): number =>
  modelSize(configurationOf(model, vocabSize)).parameters;

/** A configuration in the terms of the package of models: a known family's where the parts are its own. */
export function configurationOf(
  model: ModelConfig,
  vocabSize: number,
): ModelConfiguration | DecoderSettings {
  const family = familyOf(model);
  if (family === 'gpt2') return gpt2Config(model, vocabSize);
  return family === 'llama' ? llamaConfig(model, vocabSize) : typedConfig(model, vocabSize);
}

function gpt2Config(model: ModelConfig, vocabSize: number): DecoderSettings {
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

function llamaConfig(model: ModelConfig, vocabSize: number): DecoderSettings {
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

function typedConfig(model: ModelConfig, vocabSize: number): ModelConfiguration {
  const { dropout } = model;
  const gated = model.feedForward === 'gated-silu';
  return {
    model_type: 'headwise',
    topology: 'decoder',
    vocabSize,
    maxLength: model.context,
    dim: model.dim,
    layers: model.layers,
    embedding: { dropout },
    position: positionOf(model),
    heads: {
      count: model.heads,
      kv: model.kvHeads,
      bias: { qkv: true, out: true },
      window: model.window,
      dropout,
    },
    score: { kind: model.score },
    norm: { kind: model.norm },
    feedForward: {
      kind: gated ? 'gated' : 'plain',
      hidden: hiddenOf(model),
      activation: gated ? 'silu' : (model.feedForward as 'gelu_new' | 'relu' | 'silu'),
      bias: !gated,
    },
    block: model.block,
    dropout,
    head: { kind: 'language-model', tied: true },
    init: { byDepth: true },
  };
}

/** Positions with the sizes that their papers use. */
function positionOf({ position, context }: ModelConfig): ModelConfiguration['position'] {
  if (position === 't5') return { kind: 't5', buckets: 32, maxDistance: 128 };
  return position === 'shaw' ? { kind: 'shaw', clip: Math.min(16, context) } : { kind: position };
}
