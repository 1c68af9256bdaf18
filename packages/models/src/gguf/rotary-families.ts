import { InputError } from '@headwise/core';
import type { GgufMetadata } from '@headwise/gguf';
import { type GemmaConfig, gemma, gemma2, gemma3Text } from '../families/gemma.js';
import { gptNeoX } from '../families/gpt-neox.js';
import { granite } from '../families/granite.js';
import { llama, mistral, qwen2, qwen3 } from '../families/llama.js';
import { olmo2, olmo3 } from '../families/olmo.js';
import { phi, phi3 } from '../families/phi.js';
import { type Rope, readRope } from '../families/shared/rope.js';
import { type SmolLM3Config, smolLM3 } from '../families/smollm3.js';
import { stableLM } from '../families/stablelm.js';
import { starCoder2 } from '../families/starcoder2.js';
import type { GgufArchitecture } from './architecture.js';
import { decoderArchitecture } from './decoders.js';

const silu = { hidden_act: ['silu'] };
const gelu = { hidden_act: ['gelu', 'gelu_new', 'gelu_pytorch_tanh'] };

const llamaRecipe = { name: 'llama', allowed: silu, interleaved: true };

/** Scores are divided by the root of a head's width, of the largest models by that of `D / H`. */
function checkScale(config: GemmaConfig, headDim: number, largest: number): void {
  const { hidden_size: dim, num_attention_heads: heads, num_hidden_layers: layers } = config;
  const expected = layers === largest ? Math.floor(dim / heads) : headDim;
  if (config.query_pre_attn_scalar === expected) return;
  throw new InputError(
    `config.json: 'query_pre_attn_scalar' is ${config.query_pre_attn_scalar}; llama.cpp computes '${config.model_type}' of ${layers} layers with ${expected} alone`,
  );
}

const softcaps = (config: GemmaConfig): GgufMetadata => ({
  ...cap('attn_logit_softcapping', config.attn_logit_softcapping),
  ...cap('final_logit_softcapping', config.final_logit_softcapping),
});
const cap = (key: string, value: number | null | undefined): GgufMetadata =>
  value == null ? {} : { [key]: ['f32', value] };

const plusOne = /norm\.weight$/;
const gemmaActivation = {
  hidden_act: ['gelu', 'gelu_pytorch_tanh'],
  hidden_activation: ['gelu_pytorch_tanh'],
  attention_bias: [false],
};

/** The rule of the layers that see all tokens; those with a window have a base alone. */
function localBase(rope: Rope): GgufMetadata {
  const { local } = rope.position;
  if (!local) return {};
  const base = local.base ?? 10_000;
  if (local.scaling && local.scaling.rope_type !== 'default') {
    throw new InputError(
      `config.json: 'rope_type' of layers with a window is '${local.scaling.rope_type}'; llama.cpp has 'default' alone`,
    );
  }
  return { 'rope.freq_base_swa': ['f32', base] };
}

const ropeOf = (
  family: { preset(config: never): unknown },
  config: unknown,
  written: number,
): Rope => {
  const { position, maxLength } = family.preset(config as never) as never as {
    position: Rope['position'];
    maxLength: number;
  };
  return { position, maxLength: Math.max(written, maxLength), partial: 1 };
};

/** The window of the layers that have one, and which those are where it is not llama.cpp's every `pattern`th that sees all tokens. */
function slidingWindow(
  preset: { heads: { window?: number | null | readonly (number | null)[] | undefined } },
  pattern: number | undefined,
): GgufMetadata {
  const all = [preset.heads.window ?? null].flat();
  const windowed = all.map((window) => window !== null);
  const usual = windowed.every((has, i) => has === ((i + 1) % (pattern ?? 1) !== 0));
  return {
    'attention.sliding_window': ['u32', all.find((window) => window !== null) ?? 0],
    ...(usual && pattern ? {} : { 'attention.sliding_window_pattern': ['bool[]', windowed] }),
  };
}

/** Every fourth layer has no positions. */
function checkEveryFourth(config: SmolLM3Config): GgufMetadata {
  const { layers = [] } = smolLM3.preset(config).position as { layers?: readonly string[] };
  const wrong = layers.findIndex((kind, i) => (kind === 'none') !== ((i + 1) % 4 === 0));
  if (wrong < 0) return {};
  throw new InputError(
    `config.json: layer ${wrong} has ${layers[wrong] === 'none' ? 'no' : 'rotary'} positions; llama.cpp computes 'smollm3' with none in every fourth layer alone`,
  );
}

/** The families of rotary decoders that are written for llama.cpp, by `model_type`. */
export const rotaryArchitectures: Readonly<Record<string, (config: never) => GgufArchitecture>> = {
  llama: decoderArchitecture(llama, llamaRecipe),
  mistral: decoderArchitecture(mistral, llamaRecipe),
  qwen2: decoderArchitecture(qwen2, { name: 'qwen2', allowed: silu }),
  qwen3: decoderArchitecture(qwen3, {
    name: 'qwen3',
    allowed: { ...silu, attention_bias: [false] },
  }),
  gemma: decoderArchitecture(gemma, { name: 'gemma', allowed: gemmaActivation, plusOne }),
  gemma2: decoderArchitecture(
    gemma2,
    {
      name: 'gemma2',
      allowed: gemmaActivation,
      plusOne,
      settings(config, { headDim }) {
        checkScale(config, headDim, 46);
        return {
          ...softcaps(config),
          ...slidingWindow(gemma2.preset(config), 2),
        };
      },
    },
    { windows: true },
  ),
  gemma3_text: decoderArchitecture(
    gemma3Text,
    {
      name: 'gemma3',
      allowed: gemmaActivation,
      plusOne,
      rope: (config) => ropeOf(gemma3Text, config, config.max_position_embeddings),
      settings(config, { headDim, rope }) {
        checkScale(config, headDim, 62);
        return {
          ...softcaps(config),
          ...slidingWindow(gemma3Text.preset(config), 6),
          ...localBase(rope),
        };
      },
    },
    { windows: true },
  ),
  smollm3: decoderArchitecture(smolLM3, {
    name: 'smollm3',
    allowed: silu,
    interleaved: true,
    settings: checkEveryFourth,
  }),
  granite: decoderArchitecture(granite, {
    name: 'granite',
    allowed: silu,
    interleaved: true,
    settings: (config) => ({
      'attention.scale': ['f32', config.attention_multiplier],
      embedding_scale: ['f32', config.embedding_multiplier],
      residual_scale: ['f32', config.residual_multiplier],
      logit_scale: ['f32', config.logits_scaling],
    }),
  }),
  phi: decoderArchitecture(phi, {
    name: 'phi2',
    allowed: { ...gelu, qk_layernorm: [false] },
    layerNorm: 'layer_norm_eps',
  }),
  phi3: decoderArchitecture(phi3, {
    name: 'phi3',
    allowed: silu,
    names: [
      ['blocks.#.mlp.gate', 'blk.#.ffn_up', { index: 0, of: 2 }],
      ['blocks.#.mlp.up', 'blk.#.ffn_up', { index: 1, of: 2 }],
    ],
    rope: (config) => {
      const { partial } = readRope(config, config.max_position_embeddings, 'config.json');
      return { ...ropeOf(phi3, config, config.max_position_embeddings), partial };
    },
    settings: (config, { headDim, rope }) => ({
      'rope.dimension_count': ['u32', Math.floor(headDim * rope.partial)],
      'rope.scaling.original_context_length': ['u32', config.original_max_position_embeddings!],
      'attention.sliding_window': ['u32', config.sliding_window ?? 0],
    }),
  }),
  gpt_neox: decoderArchitecture(gptNeoX, {
    name: 'gptneox',
    allowed: { ...gelu, attention_bias: [true] },
    layerNorm: 'layer_norm_eps',
    rope({ rotary_emb_base, rotary_pct, ...config }) {
      const rule = { rope_theta: rotary_emb_base, partial_rotary_factor: rotary_pct };
      return readRope({ ...config, ...rule }, config.max_position_embeddings, 'config.json');
    },
    settings: (config) => ({ use_parallel_residual: ['bool', config.use_parallel_residual] }),
  }),
  stablelm: decoderArchitecture(stableLM, {
    name: 'stablelm',
    allowed: silu,
    layerNorm: 'layer_norm_eps',
    settings: (config) => ({ use_parallel_residual: ['bool', config.use_parallel_residual] }),
  }),
  starcoder2: decoderArchitecture(starCoder2, {
    name: 'starcoder2',
    allowed: { hidden_act: ['gelu_pytorch_tanh', 'gelu_new', 'gelu'], use_bias: [true] },
    layerNorm: 'norm_epsilon',
  }),
  olmo2: decoderArchitecture(olmo2, {
    name: 'olmo2',
    allowed: { ...silu, attention_bias: [false] },
  }),
  olmo3: decoderArchitecture(
    olmo3,
    {
      name: 'olmo2',
      allowed: { ...silu, attention_bias: [false] },
      rope: (config) => ropeOf(olmo3, config, config.max_position_embeddings),
      settings: (config, { rope }) => ({
        ...slidingWindow(olmo3.preset(config), undefined),
        ...localBase(rope),
      }),
    },
    { windows: true },
  ),
};
