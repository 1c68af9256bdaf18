import { type RopeRule, ropeRule } from './rope.js';
import type { GgufSettings } from './settings.js';

export type Json = Record<string, unknown>;

/** The settings that rotary decoders share, by the keys of `config.json`. */
export function shared(settings: GgufSettings): Json {
  const heads = settings.number('attention.head_count');
  const experts = settings.optionalNumber('expert_count') ?? 0;
  if (experts > 0) throw settings.error('expert_count', '0: experts are not built');
  const headDim = settings.optionalNumber('attention.key_length');
  return {
    vocab_size: settings.shape('token_embd.weight')[0],
    hidden_size: settings.number('embedding_length'),
    intermediate_size: settings.number('feed_forward_length'),
    num_hidden_layers: settings.number('block_count'),
    num_attention_heads: heads,
    num_key_value_heads: settings.optionalNumber('attention.head_count_kv') ?? heads,
    ...(headDim === undefined ? {} : { head_dim: headDim }),
    max_position_embeddings: settings.number('context_length'),
    tie_word_embeddings: !settings.hasTensor('output.weight'),
    pad_token_id: settings.general('tokenizer.ggml.padding_token_id') ?? null,
  };
}

/** An object without some of its keys. */
export const without = (json: Json, ...keys: string[]): Json =>
  Object.fromEntries(Object.entries(json).filter(([key]) => !keys.includes(key)));

export const rms = (settings: GgufSettings): Json => ({
  rms_norm_eps: settings.number('attention.layer_norm_rms_epsilon'),
});
export const layerNorm = (settings: GgufSettings): number =>
  settings.number('attention.layer_norm_epsilon');

export const rope = (settings: GgufSettings): Json => ({ rope_parameters: ropeRule(settings) });

/** The width of a head. */
export const headDimOf = (settings: GgufSettings): number =>
  settings.optionalNumber('attention.key_length') ??
  settings.number('embedding_length') / settings.number('attention.head_count');

/** The part of a head's channels that turn. */
export const partial = (settings: GgufSettings): number =>
  (settings.optionalNumber('rope.dimension_count') ?? headDimOf(settings)) / headDimOf(settings);

export const partialRope = (settings: GgufSettings): Json => ({
  rope_parameters: { ...ropeRule(settings), partial_rotary_factor: partial(settings) },
});

export const bias = (settings: GgufSettings, layer: string): boolean =>
  settings.hasTensor(`blk.0.${layer}.bias`);

/** A LLaMA, or a family with its biases. */
export const llamaLike =
  (modelType: string): ((settings: GgufSettings) => Json) =>
  (settings) => ({
    model_type: modelType,
    ...shared(settings),
    ...rms(settings),
    ...rope(settings),
    attention_bias: bias(settings, 'attn_output'),
    mlp_bias: bias(settings, 'ffn_down'),
  });

/** A family of the Qwens, which have no window in files. */
export const qwen =
  (modelType: string): ((settings: GgufSettings) => Json) =>
  (settings) => ({
    model_type: modelType,
    ...shared(settings),
    ...rms(settings),
    ...rope(settings),
  });

export const gelu = 'gelu_pytorch_tanh';

/** What Gemmas share; their table of tokens is the head unless there is another. */
export const gemmaParts = (settings: GgufSettings): Json => ({
  ...shared(settings),
  ...rms(settings),
  head_dim: headDimOf(settings),
});

/** What scores are divided by the root of: a head's width, in the largest model that of `D / H`. */
export const scalar = (settings: GgufSettings, largest: number): number =>
  settings.number('block_count') === largest
    ? Math.floor(settings.number('embedding_length') / settings.number('attention.head_count'))
    : headDimOf(settings);

/**
 * The type of each layer: as a list says, else every `pattern`th sees all tokens.
 *
 * @throws InputError where the pattern is neither a number nor a list of truth values
 */
export function layerTypes(settings: GgufSettings, usual: number): string[] {
  const given = settings.value('attention.sliding_window_pattern') ?? usual;
  const count = settings.number('block_count');
  const list = Array.isArray(given) ? given : undefined;
  if (list ? list.length !== count : typeof given !== 'number') {
    throw settings.error('attention.sliding_window_pattern', `a number or ${count} truth values`);
  }
  return Array.from({ length: count }, (_, i) => {
    const windowed = list ? list[i] === true || list[i] === 1 : (i + 1) % Number(given) !== 0;
    return windowed ? 'sliding_attention' : 'full_attention';
  });
}

/** Rules of layers that see all tokens and of those with a window, which have a base alone. */
export function layeredRope(settings: GgufSettings, usual: number | undefined): Json {
  const full: RopeRule = ropeRule(settings);
  const base = settings.optionalNumber('rope.freq_base_swa') ?? usual ?? full.rope_theta;
  return {
    rope_parameters: {
      full_attention: full,
      sliding_attention: { rope_type: 'default', rope_theta: base },
    },
  };
}

/** A window; 0 stands for none. */
export const windowOf = (settings: GgufSettings): number | null =>
  settings.optionalNumber('attention.sliding_window') || null;
