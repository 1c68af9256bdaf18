import { InputError } from '@headwise/core';
import {
  bias,
  gelu,
  gemmaParts,
  headDimOf,
  type Json,
  layeredRope,
  layerNorm,
  layerTypes,
  llamaLike,
  partial,
  partialRope,
  qwen,
  rms,
  rope,
  scalar,
  shared,
  windowOf,
  without,
} from './parts.js';
import { ropeRule } from './rope.js';
import type { GgufSettings } from './settings.js';

const architectures: Readonly<Record<string, (settings: GgufSettings) => Json>> = {
  llama: llamaLike('llama'),
  smollm3: llamaLike('smollm3'),
  granite: (settings) => ({
    ...llamaLike('granite')(settings),
    attention_multiplier: settings.optionalNumber('attention.scale') || headDimOf(settings) ** -0.5,
    embedding_multiplier: settings.optionalNumber('embedding_scale') || 1,
    residual_multiplier: settings.optionalNumber('residual_scale') || 1,
    logits_scaling: settings.optionalNumber('logit_scale') || 1,
  }),
  qwen2: qwen('qwen2'),
  qwen3: qwen('qwen3'),
  gemma: (settings) => ({
    model_type: 'gemma',
    ...gemmaParts(settings),
    ...rope(settings),
    hidden_act: gelu,
  }),
  gemma2: (settings) => ({
    model_type: 'gemma2',
    ...gemmaParts(settings),
    ...rope(settings),
    hidden_activation: gelu,
    query_pre_attn_scalar: scalar(settings, 46),
    sliding_window: settings.optionalNumber('attention.sliding_window') ?? 4096,
    layer_types: layerTypes(settings, 2),
    attn_logit_softcapping: settings.optionalNumber('attn_logit_softcapping') ?? 50,
    final_logit_softcapping: settings.optionalNumber('final_logit_softcapping') ?? 30,
  }),
  gemma3: (settings) => ({
    model_type: 'gemma3_text',
    ...gemmaParts(settings),
    ...layeredRope(settings, 10_000),
    hidden_activation: gelu,
    query_pre_attn_scalar: scalar(settings, 62),
    sliding_window: windowOf(settings),
    layer_types: layerTypes(settings, windowOf(settings) === null ? 1 : 6),
    final_logit_softcapping: settings.optionalNumber('final_logit_softcapping') || null,
  }),
  phi2: (settings) => ({
    model_type: 'phi',
    ...shared(settings),
    ...partialRope(settings),
    layer_norm_eps: layerNorm(settings),
    hidden_act: 'gelu_new',
  }),
  phi3: (settings) => ({
    model_type: 'phi3',
    ...shared(settings),
    ...rms(settings),
    ...partialRope(settings),
    original_max_position_embeddings:
      settings.optionalNumber('rope.scaling.original_context_length') ??
      settings.number('context_length'),
    sliding_window: windowOf(settings),
  }),
  gptneox: (settings) => {
    const { rope_theta, ...rule } = ropeRule(settings);
    const parts = without(shared(settings), 'head_dim', 'num_key_value_heads', 'pad_token_id');
    return {
      model_type: 'gpt_neox',
      ...parts,
      ...(rule.rope_type === 'default' ? {} : { rope_parameters: rule }),
      rotary_emb_base: rope_theta,
      rotary_pct: partial(settings),
      layer_norm_eps: layerNorm(settings),
      hidden_act: 'gelu',
      attention_bias: bias(settings, 'attn_qkv'),
      use_parallel_residual: settings.flag('use_parallel_residual', true),
    };
  },
  stablelm: (settings) => {
    const parts = without(shared(settings), 'head_dim');
    return {
      model_type: 'stablelm',
      ...parts,
      ...partialRope(settings),
      layer_norm_eps: layerNorm(settings),
      use_qkv_bias: bias(settings, 'attn_q'),
      qk_layernorm: settings.hasTensor('blk.0.attn_q_norm.weight'),
      use_parallel_residual: settings.flag('use_parallel_residual', true),
    };
  },
  starcoder2: (settings) => ({
    model_type: 'starcoder2',
    ...shared(settings),
    ...rope(settings),
    norm_epsilon: layerNorm(settings),
    hidden_act: gelu,
    use_bias: bias(settings, 'attn_output'),
  }),
  olmo2: (settings) => {
    const all = {
      ...shared(settings),
      ...rms(settings),
      attention_bias: false,
    };
    const window = windowOf(settings);
    return window === null
      ? { model_type: 'olmo2', ...all, ...rope(settings) }
      : {
          model_type: 'olmo3',
          ...all,
          ...layeredRope(settings, undefined),
          sliding_window: window,
          layer_types: layerTypes(settings, 4),
        };
  },
  gpt2: (settings) => ({
    model_type: 'gpt2',
    vocab_size: settings.shape('token_embd.weight')[0],
    n_positions: settings.number('context_length'),
    n_embd: settings.number('embedding_length'),
    n_layer: settings.number('block_count'),
    n_head: settings.number('attention.head_count'),
    n_inner: settings.number('feed_forward_length'),
    layer_norm_epsilon: layerNorm(settings),
    tie_word_embeddings: !settings.hasTensor('output.weight'),
  }),
  bloom: (settings) => ({
    model_type: 'bloom',
    vocab_size: settings.shape('token_embd.weight')[0],
    hidden_size: settings.number('embedding_length'),
    n_layer: settings.number('block_count'),
    n_head: settings.number('attention.head_count'),
    seq_length: settings.number('context_length'),
    layer_norm_epsilon: layerNorm(settings),
    tie_word_embeddings: !settings.hasTensor('output.weight'),
  }),
  falcon: (settings) => {
    const heads = settings.number('attention.head_count');
    const kv = settings.optionalNumber('attention.head_count_kv') ?? heads;
    // Two norms are of the new blocks, whose heads of keys may be any number.
    const renewed = settings.hasTensor('blk.0.attn_norm_2.weight');
    return {
      model_type: 'falcon',
      vocab_size: settings.shape('token_embd.weight')[0],
      hidden_size: settings.number('embedding_length'),
      ffn_hidden_size: settings.number('feed_forward_length'),
      num_hidden_layers: settings.number('block_count'),
      num_attention_heads: heads,
      ...(renewed
        ? { new_decoder_architecture: true, num_kv_heads: kv }
        : { multi_query: kv === 1 }),
      max_position_embeddings: settings.number('context_length'),
      layer_norm_epsilon: layerNorm(settings),
      ...rope(settings),
      tie_word_embeddings: !settings.hasTensor('output.weight'),
    };
  },
};

/** The architectures that are read. */
export const ggufArchitectures: readonly string[] = Object.keys(architectures);

/**
 * The `config.json` that the settings of a GGUF file stand for.
 *
 * @param name of the file, in errors
 * @throws InputError for an architecture that is not built, and for a setting that is missing or not built
 */
export function ggufConfiguration(settings: GgufSettings, name: string): Json {
  const { architecture } = settings;
  const read = Object.hasOwn(architectures, architecture) ? architectures[architecture] : undefined;
  if (!read) {
    throw new InputError(
      `${name}: 'general.architecture' is '${architecture}'; expected one of ${ggufArchitectures.join(', ')}`,
    );
  }
  const id = (key: string, token: string): Json => {
    const value = settings.general(`tokenizer.ggml.${token}_token_id`);
    return value === undefined ? {} : { [key]: value };
  };
  const ends = ['eos', 'eot', 'eom'].flatMap(
    (token) => settings.general(`tokenizer.ggml.${token}_token_id`) ?? [],
  );
  return {
    ...read(settings),
    ...id('bos_token_id', 'bos'),
    ...(ends.length > 0 ? { eos_token_id: ends.length === 1 ? ends[0] : [...new Set(ends)] } : {}),
  };
}
