import { describe, expect, test } from 'vitest';
import { familyOf } from '../families.js';

type Json = Record<string, unknown>;

const sizes = {
  vocab_size: 61,
  hidden_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  num_key_value_heads: 3,
  max_position_embeddings: 64,
};

const read = (json: Json) => {
  const family = familyOf(json);
  return family.preset(family.parseConfig({ ...sizes, pad_token_id: null, ...json }));
};

const long = { short_factor: [1, 1.3, 1.7], long_factor: [2, 3, 4] };
const longrope = { type: 'longrope', ...long };
const phi3 = { model_type: 'phi3', original_max_position_embeddings: 16 };
const whisper = { model_type: 'whisper', encoder_attention_heads: 3, decoder_attention_heads: 3 };
const mbart = { model_type: 'mbart', decoder_attention_heads: 3 };
const gemma3 = { model_type: 'gemma3_text', head_dim: 4 };
const linear = { rope_type: 'linear', factor: 4 };
const local = { rope_type: 'default', rope_theta: 10_000 };

const modern = { model_type: 'modernbert' };
const deberta = { model_type: 'deberta-v2', relative_attention: true };

/** Spellings of one model, by what differs. */
const alike: Record<string, readonly [Json, Json, ...Json[]]> = {
  'the type of a rule': [
    { model_type: 'smollm3', rope_scaling: { type: 'linear', factor: 2 } },
    { model_type: 'smollm3', rope_scaling: { rope_type: 'linear', factor: 2 } },
    { model_type: 'smollm3', rope_parameters: { rope_type: 'linear', factor: 2, rope_theta: 2e6 } },
    { model_type: 'smollm3', rope_theta: 2e6, rope_parameters: { type: 'linear', factor: 2 } },
  ],
  'the names of LongRoPE, and where the part that turns stands': [
    { ...phi3, partial_rotary_factor: 0.75, rope_scaling: longrope },
    { ...phi3, partial_rotary_factor: 0.75, rope_scaling: { ...longrope, type: 'su' } },
    { ...phi3, partial_rotary_factor: 0.75, rope_scaling: { ...longrope, type: 'yarn' } },
    { ...phi3, rope_scaling: { ...longrope, partial_rotary_factor: 0.75 } },
    {
      ...phi3,
      rope_parameters: {
        rope_type: 'longrope',
        ...long,
        rope_theta: 1e4,
        partial_rotary_factor: 0.75,
      },
    },
  ],
  'the part that turns': [
    { model_type: 'phi' },
    { model_type: 'phi', partial_rotary_factor: 0.5 },
    { model_type: 'phi', partial_rotary_factor: null, rope_parameters: null },
    { model_type: 'phi', rope_parameters: { rope_type: 'default', partial_rotary_factor: 0.5 } },
    // What stands in the rule is above what stands beside it.
    {
      model_type: 'phi',
      partial_rotary_factor: 0.25,
      rope_parameters: { rope_type: 'default', partial_rotary_factor: 0.5 },
    },
  ],
  "GPT-NeoX's own names": [
    { model_type: 'gpt_neox', rotary_pct: 0.5, rotary_emb_base: 500 },
    {
      model_type: 'gpt_neox',
      rope_parameters: { rope_type: 'default', rope_theta: 500, partial_rotary_factor: 0.5 },
    },
  ],
  'rules by type of layer': [
    { ...gemma3, rope_scaling: linear, rope_theta: 1e6, rope_local_base_freq: 1e4 },
    { ...gemma3, rope_scaling: { type: 'linear', factor: 4 } },
    {
      ...gemma3,
      rope_parameters: { full_attention: { ...linear, rope_theta: 1e6 }, sliding_attention: local },
    },
    { ...gemma3, rope_parameters: { full_attention: linear, sliding_attention: null } },
  ],
  'which layers have a window': [
    { ...gemma3, sliding_window_pattern: 2 },
    { ...gemma3, layer_types: ['sliding_attention', 'full_attention'] },
  ],
  'which layers have positions': [
    { model_type: 'smollm3', no_rope_layer_interval: 2 },
    { model_type: 'smollm3', no_rope_layers: [1, 0] },
    { model_type: 'smollm3', no_rope_layers: null, no_rope_layer_interval: 2 },
  ],
  "Gemma's approximation of GELU": [
    { model_type: 'gemma', hidden_act: 'gelu' },
    { model_type: 'gemma', hidden_act: 'gelu_pytorch_tanh' },
    { model_type: 'gemma', hidden_activation: null },
    { model_type: 'gemma', hidden_activation: 'gelu_pytorch_tanh' },
  ],
  'types, nulls and no architectures': [
    { model_type: 'granite' },
    { model_type: 'granite', torch_dtype: 'bfloat16' },
    { model_type: 'granite', dtype: 'bfloat16' },
    { model_type: 'granite', architectures: null },
    { model_type: 'granite', architectures: [] },
    { model_type: 'granite', rope_scaling: null, hidden_act: null, quantization_config: null },
  ],
  "mBART's settings that say what every mBART is": [
    { ...mbart },
    { ...mbart, normalize_before: true, add_final_layer_norm: true },
    { ...mbart, normalize_embedding: true, static_position_embeddings: false },
    { ...mbart, architectures: ['MBartModel'], decoder_start_token_id: null },
    { ...mbart, decoder_start_token_id: 0, bos_token_id: 7 },
  ],
  "umT5's feed-forward layer, and names": [
    { model_type: 'umt5', num_decoder_layers: 2 },
    { model_type: 'umt5', feed_forward_proj: 'gated-gelu', num_layers: 2, num_heads: 3 },
    { model_type: 'umt5', feed_forward_proj: 'gated-gelu', dense_act_fn: 'gelu_new' },
  ],
  "DistilBERT's names": [
    { model_type: 'distilbert' },
    { model_type: 'distilbert', dim: 24, n_heads: 3, n_layers: 2 },
    { model_type: 'distilbert', architectures: null, torch_dtype: 'float32' },
    { model_type: 'distilbert', architectures: [], dtype: 'float32', activation: null },
  ],
  "ModernBERT's rotary bases, and which layers have a window": [
    { ...modern, global_rope_theta: 160_000, local_rope_theta: 10_000, rope_scaling: null },
    { ...modern, rope_parameters: null, layer_types: ['full_attention', 'sliding_attention'] },
    { ...modern, global_attn_every_n_layers: 2, position_embedding_type: 'absolute' },
    {
      ...modern,
      global_rope_theta: 7,
      rope_parameters: { full_attention: { rope_theta: 160_000 }, sliding_attention: local },
    },
  ],
  "the products of DeBERTa's scores": [
    { ...deberta, pos_att_type: 'p2c|c2p' },
    { ...deberta, pos_att_type: 'C2P | P2C' },
    { ...deberta, pos_att_type: ['p2c', 'c2p'] },
    { ...deberta, pos_att_type: ['c2p', 'p2c'], position_buckets: -1, norm_rel_ebd: 'none' },
    { ...deberta, pos_att_type: 'c2p|p2c', max_relative_positions: 64, cls_dropout: null },
  ],
  "GPT-J's names": [
    { model_type: 'gptj', rotary_dim: 4 },
    {
      model_type: 'gptj',
      rotary_dim: 4,
      n_embd: 24,
      n_layer: 2,
      n_head: 3,
      n_positions: 64,
      n_inner: null,
    },
  ],
};

describe('one model in several spellings', () => {
  for (const [what, [first, ...others]] of Object.entries(alike)) {
    test(what, () => {
      const expected = read(first);
      for (const other of others) expect(read(other), JSON.stringify(other)).toEqual(expected);
    });
  }
});

/** Settings that are refused in every spelling, and what is said of them. */
const refused: readonly (readonly [Json, RegExp])[] = [
  [{ model_type: 'gpt_neox', rope_theta: 500 }, /'rope_theta' is 500.*expected 'rotary_emb_base'/],
  [{ model_type: 'gpt_neox', partial_rotary_factor: 0.5 }, /expected 'rotary_pct'/],
  [{ model_type: 'phi', partial_rotary_factor: 0.4 }, /3 of 8 channels; expected an even number/],
  [
    { model_type: 'phi', rope_scaling: { type: 'linear', factor: 2, partial_rotary_factor: 0.4 } },
    /3 of 8 channels; expected an even number/,
  ],
  [{ ...phi3, rope_scaling: { type: 'linear', factor: 2 } }, /'rope_type' is "linear"/],
  [{ ...phi3, rope_scaling: { type: 'su', ...long } }, /'short_factor' has 3 entries/],
  [
    { ...gemma3, rope_parameters: { rope_type: 'default' } },
    /unknown key 'rope_parameters\.rope_type'/,
  ],
  [{ model_type: 'gemma3', text_config: null }, /'text_config' is null; expected the settings/],
  [
    { model_type: 'gemma3', text_config: { ...sizes, attn_logit_softcapping: 50 } },
    /'attn_logit_softcapping' is 50/,
  ],
  [{ ...gemma3, attn_logit_softcapping: 50 }, /'attn_logit_softcapping' is 50/],
  [{ ...gemma3, use_bidirectional_attention: true }, /'use_bidirectional_attention' is true/],
  [{ model_type: 'distilbert', sinusoidal_pos_embds: true }, /'sinusoidal_pos_embds' is true/],
  [{ model_type: 'electra', is_decoder: true }, /'is_decoder' is true/],
  [{ model_type: 'albert', architectures: ['AlbertForPreTraining'] }, /'architectures\.0' is "Alb/],
  [
    { model_type: 'albert', num_hidden_groups: 3 },
    /'num_hidden_layers' 2 is not divisible by 'num_hidden_groups' 3/,
  ],
  [{ model_type: 'albert', inner_group_num: 4000 }, /are 8000 layers; expected at most 4096/],
  [{ model_type: 'mpnet', pad_token_id: 0 }, /'pad_token_id' is 0/],
  [{ model_type: 'mpnet', pad_token_id: 1, relative_attention_num_buckets: 16 }, /buckets' is 16/],
  [{ ...modern, decoder_bias: false }, /'decoder_bias' is false/],
  [{ ...modern, layer_types: ['full_attention'] }, /'layer_types' has 1 entries/],
  [{ ...modern, rope_scaling: { type: 'linear', factor: 2 } }, /'rope_scaling' is/],
  [deberta, /'relative_attention' is true and 'pos_att_type' undefined; expected "c2p", "p2c"/],
  [{ ...deberta, conv_kernel_size: 3 }, /'conv_kernel_size' is 3/],
  [{ ...deberta, pos_att_type: 'c2p', embedding_size: 8 }, /'embedding_size' is 8; expected/],
  [
    { ...deberta, pos_att_type: 'c2p', position_buckets: 3 },
    /'position_buckets' is 3, up to a distance of 64; expected at least 4/,
  ],
  [{ model_type: 'stablelm', qk_layernorm: true }, /'qk_layernorm' is true/],
  [{ model_type: 'mbart', normalize_before: false }, /'normalize_before' is false/],
  [{ model_type: 'pegasus', static_position_embeddings: false }, /'static_position_embeddings'/],
  [{ model_type: 'pegasus', encoder_layerdrop: 0.1 }, /'encoder_layerdrop' is 0\.1/],
  [{ ...mbart, model_type: 'm2m_100', hidden_size: 15 }, /'d_model' is 15.*an even number/],
  [{ ...whisper, scale_embedding: true }, /'scale_embedding' is true/],
  [{ ...whisper, apply_spec_augment: true }, /'apply_spec_augment' is true/],
  [{ ...whisper, hidden_size: 15 }, /'d_model' is 15.*an even number/],
  [{ ...whisper, vocab_size: 9, pad_token_id: 9 }, /'pad_token_id' is 9; expected an id of/],
  [
    { ...whisper, architectures: ['WhisperForAudioClassification'] },
    /'architectures\.0' is "WhisperForAudioClassification"/,
  ],
  [{ model_type: 'umt5', is_encoder_decoder: false }, /'is_encoder_decoder' is false/],
  [{ model_type: 'opt', word_embed_proj_dim: 8 }, /'word_embed_proj_dim' is 8/],
  [{ model_type: 'opt', layerdrop: 0.1 }, /'layerdrop' is 0\.1/],
  [{ model_type: 'gptj', rotary_dim: 64 }, /'rotary_dim' is 64; expected an even number up to/],
  [{ model_type: 'smollm3', no_rope_layers: [1] }, /'no_rope_layers' has 1 entries/],
  [
    { model_type: 'qwen3', rope_parameters: { full_attention: linear } },
    /a rule for one type of layer/,
  ],
  [
    { model_type: 'olmo3', partial_rotary_factor: 0.5, layer_types: ['full_attention'] },
    /'layer_types' has 1 entries/,
  ],
];

for (const [json, message] of refused) {
  test(`refuses ${JSON.stringify(json)}`, () => {
    expect(() => read(json)).toThrow(message);
  });
}

test.each(['gpt_neox', 'gptj', 'opt', 'stablelm'])(
  'a setting that %s does not have, as that of grouped heads, means nothing where a file has it',
  (model_type) => {
    const small = { model_type, hidden_size: 2048, num_attention_heads: 32 };
    const { settings } = familyOf(small);
    const shared = { num_key_value_heads: 2, head_dim: 8, rope_scaling: linear, rms_norm_eps: 0.5 };
    const stray = Object.fromEntries(
      Object.entries(shared).filter(([key]) => !settings!.read.has(key)),
    );
    expect(Object.keys(stray)).toContain(
      model_type === 'stablelm' ? 'head_dim' : 'num_key_value_heads',
    );
    expect(partsOf({ ...small, ...stray })).toEqual(partsOf(small));
  },
);

/** The parts of a model as a file says. */
function partsOf(json: Record<string, unknown>): unknown {
  const family = familyOf(json);
  return family.preset(family.parseConfig(json));
}
