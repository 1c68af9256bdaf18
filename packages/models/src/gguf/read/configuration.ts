import { InputError } from '@headwise/core';
import { type RopeRule, ropeRule } from './rope.js';
import type { GgufSettings } from './settings.js';

type Json = Record<string, unknown>;

/** The settings that rotary decoders share, by the keys of `config.json`. */
function shared(settings: GgufSettings): Json {
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
const without = (json: Json, ...keys: string[]): Json =>
  Object.fromEntries(Object.entries(json).filter(([key]) => !keys.includes(key)));

const rms = (settings: GgufSettings): Json => ({
  rms_norm_eps: settings.number('attention.layer_norm_rms_epsilon'),
});
const layerNorm = (settings: GgufSettings): number =>
  settings.number('attention.layer_norm_epsilon');

const rope = (settings: GgufSettings): Json => ({ rope_parameters: ropeRule(settings) });

/** The width of a head. */
const headDimOf = (settings: GgufSettings): number =>
  settings.optionalNumber('attention.key_length') ??
  settings.number('embedding_length') / settings.number('attention.head_count');

/** The part of a head's channels that turn. */
const partial = (settings: GgufSettings): number =>
  (settings.optionalNumber('rope.dimension_count') ?? headDimOf(settings)) / headDimOf(settings);

const partialRope = (settings: GgufSettings): Json => ({
  rope_parameters: { ...ropeRule(settings), partial_rotary_factor: partial(settings) },
});

const bias = (settings: GgufSettings, layer: string): boolean =>
  settings.hasTensor(`blk.0.${layer}.bias`);

/** A LLaMA, or a family with its biases. */
const llamaLike = (modelType: string) => (settings: GgufSettings) => ({
  model_type: modelType,
  ...shared(settings),
  ...rms(settings),
  ...rope(settings),
  attention_bias: bias(settings, 'attn_output'),
  mlp_bias: bias(settings, 'ffn_down'),
});

/** A family of the Qwens, which have no window in files. */
const qwen = (modelType: string) => (settings: GgufSettings) => ({
  model_type: modelType,
  ...shared(settings),
  ...rms(settings),
  ...rope(settings),
});

const gelu = 'gelu_pytorch_tanh';

/** What Gemmas share; their table of tokens is the head unless there is another. */
const gemmaParts = (settings: GgufSettings) => ({
  ...shared(settings),
  ...rms(settings),
  head_dim: headDimOf(settings),
});

/** What scores are divided by the root of: a head's width, in the largest model that of `D / H`. */
const scalar = (settings: GgufSettings, largest: number): number =>
  settings.number('block_count') === largest
    ? Math.floor(settings.number('embedding_length') / settings.number('attention.head_count'))
    : headDimOf(settings);

/**
 * The type of each layer: as a list says, else every `pattern`th sees all tokens.
 *
 * @throws InputError where the pattern is neither a number nor a list of truth values
 */
function layerTypes(settings: GgufSettings, usual: number): string[] {
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
function layeredRope(settings: GgufSettings, usual: number | undefined): Json {
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
const windowOf = (settings: GgufSettings): number | null =>
  settings.optionalNumber('attention.sliding_window') || null;

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
