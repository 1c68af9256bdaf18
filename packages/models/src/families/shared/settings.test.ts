import { expect, test } from 'vitest';
import { familyOf } from '../../families.js';
import { createModel, modelFromPreset } from '../../model.js';

const parse = (json: Record<string, unknown>) => familyOf(json).parseConfig(json);

/** A setting that is not built, or does not hold together, and what is said of it. */
const refused: [config: Record<string, unknown>, message: RegExp][] = [
  [{ model_type: 'gpt9' }, /'model_type' is "gpt9"; known are headwise, gpt2/],
  [{ model_type: 'constructor' }, /'model_type' is "constructor"; known are/],
  [
    {
      model_type: 'gpt2',
      add_cross_attention: true,
      architectures: ['GPT2ForSequenceClassification'],
    },
    /'add_cross_attention' is true and 'architectures' \["GPT2ForSequenceClassification"\]/,
  ],
  [
    { model_type: 'gpt2', add_cross_attention: true, vocab_size: 11 },
    /outputs begin with id 50256, .* expected an id below 'vocab_size' 11/,
  ],
  [{ model_type: 'gpt2', cross_attention_hidden_size: 12 }, /'cross_attention_hidden_size' is 12/],
  [
    { model_type: 'gpt2', architectures: ['GPT2DoubleHeadsModel'] },
    /'architectures\.0' is "GPT2DoubleHeadsModel"/,
  ],
  [{ model_type: 'gpt2', activation_function: 'prelu' }, /'activation_function' is "prelu"/],
  [{ model_type: 'llama', hidden_act: 'swiglu' }, /'hidden_act' is "swiglu"/],
  [
    { model_type: 'llama', num_key_value_heads: 5 },
    /'num_attention_heads' 32 is not divisible by 'num_key_value_heads' 5/,
  ],
  [
    { model_type: 'llama', hidden_size: 100, num_attention_heads: 3 },
    /'hidden_size' 100 is not divisible by 'num_attention_heads' 3/,
  ],
  [{ model_type: 'llama', sliding_window: 8 }, /'sliding_window' is 8/],
  [
    { model_type: 'llama', architectures: ['LlamaForSequenceClassification'] },
    /'architectures\.0' is "LlamaForSequenceClassification"/,
  ],
  [
    { model_type: 'llama', rope_scaling: { type: 'longrope', factor: 2 } },
    /'rope_scaling\.short_factor' is missing/,
  ],
  [
    { model_type: 'llama', rope_parameters: { rope_type: 'llama3', factor: 8 } },
    /'rope_parameters\.low_freq_factor' is missing/,
  ],
  [
    { model_type: 'llama', rope_parameters: { rope_type: 'default', partial_rotary_factor: 0.5 } },
    /'rope_parameters\.partial_rotary_factor' is 0\.5/,
  ],
  [
    { model_type: 'llama', quantization_config: { bits: 4 } },
    /'quantization_config' is \{"bits":4\}/,
  ],
  [{ model_type: 'mistral', attention_bias: true }, /'attention_bias' is true/],
  [
    { model_type: 'qwen2', layer_types: ['linear_attention'] },
    /'layer_types\.0' is "linear_attention"/,
  ],
  [
    { model_type: 'qwen2', num_hidden_layers: 2, layer_types: ['full_attention'] },
    /'layer_types' has 1 entries; expected one for each of 2 layers/,
  ],
  [
    { model_type: 'bloom', hidden_size: 64, n_head: 7 },
    /'hidden_size' 64 is not divisible by 'n_head' 7/,
  ],
  [
    { model_type: 'falcon', new_decoder_architecture: true, parallel_attn: false },
    /'new_decoder_architecture' is true and 'parallel_attn' false/,
  ],
  [{ model_type: 'falcon', num_ln_in_parallel_attn: 2 }, /'num_ln_in_parallel_attn' is 2/],
  [
    { model_type: 'falcon', new_decoder_architecture: true, num_kv_heads: 6 },
    /'num_attention_heads' 71 is not divisible by 'num_kv_heads' 6/,
  ],
  [{ model_type: 'transfo-xl', attn_type: 2 }, /'attn_type' is 2/],
  [{ model_type: 'transfo-xl', div_val: 1 }, /'div_val' is 1: clusters of one width are not built/],
  [
    { model_type: 'transfo-xl', tie_projs: [false] },
    /'tie_projs' is \[false\]: expected one entry more/,
  ],
  [{ model_type: 'llama', vocab_size: 2 ** 63 }, /'vocab_size' is 9223372036854776000/],
  [{ model_type: 'llama', num_hidden_layers: 0 }, /'num_hidden_layers' is 0/],
  [{ model_type: 'llama', num_hidden_layers: 100_000 }, /'num_hidden_layers' is 100000/],
  [
    { model_type: 'llama', partial_rotary_factor: 0.5 },
    /'partial_rotary_factor' is 0\.5: turning a part of a head is not built/,
  ],
  [
    {
      model_type: 'falcon',
      rope_scaling: { rope_type: 'linear', factor: 2, partial_rotary_factor: 0.5 },
    },
    /'rope_scaling\.partial_rotary_factor' is 0\.5/,
  ],
  [
    { model_type: 'qwen2', rope_parameters: { full_attention: { rope_type: 'default' } } },
    /'rope_parameters\.full_attention' is \{"rope_type":"default"\}: a rule for one type of layer is not built/,
  ],
  [
    { model_type: 'llama', rope_scaling: { type: 'spiral' } },
    /'rope_scaling\.rope_type' is "spiral"/,
  ],
  [
    {
      model_type: 'llama',
      hidden_size: 64,
      num_attention_heads: 8,
      rope_scaling: { type: 'su', factor: 2, short_factor: [1, 1], long_factor: [1, 1, 1, 1] },
    },
    /'short_factor' has 2 entries; expected one for each of 4 pairs/,
  ],
  [
    { model_type: 'llama', vocab_size: 11, pad_token_id: 11 },
    /'pad_token_id' is 11; expected an id of the vocabulary of 11/,
  ],
];

for (const [config, message] of refused) {
  test(`refuses ${JSON.stringify(config)}`, () => {
    expect(() => parse(config)).toThrow(message);
  });
}

test('reads what releases before version 5, and before Hugging Face, call their settings', () => {
  const scaled = { type: 'linear', factor: 2 };
  expect(
    familyOf({ model_type: 'llama' }).preset!(
      parse({ model_type: 'llama', rope_theta: 500, rope_scaling: scaled }),
    ).position,
  ).toEqual({
    kind: 'rotary',
    base: 500,
    scaling: { rope_type: 'linear', factor: 2 },
    trainedLength: 2048,
  });
  expect(parse({ model_type: 'bloom', n_embed: 32, num_attention_heads: 4 })).toMatchObject({
    hidden_size: 32,
    n_head: 4,
  });
  expect(parse({ model_type: 'falcon', n_embed: 142 })).toMatchObject({ hidden_size: 142 });
});

test("absent keys get Hugging Face's defaults, and other keys are kept", () => {
  expect(parse({ model_type: 'mistral', bos_token_id: 5 })).toMatchObject({
    num_key_value_heads: 8,
    sliding_window: 4096,
    max_position_embeddings: 131072,
    bos_token_id: 5,
  });
  expect(parse({ model_type: 'qwen2' })).toMatchObject({
    vocab_size: 151936,
    max_window_layers: 28,
  });
  expect(parse({ model_type: 'transfo-xl' })).toMatchObject({
    cutoffs: [20000, 40000, 200000],
    tie_projs: [false, true, true, true],
  });
});

/** The longest sequence of a LLaMA with a rule of scaling, trained on 16 tokens where it does not say otherwise. */
const lengths: [settings: Record<string, unknown>, maxLength: number][] = [
  [{}, 16],
  [{ rope_scaling: { type: 'linear', factor: 4 } }, 64],
  [{ rope_parameters: { rope_type: 'linear', factor: 4, rope_theta: 500 } }, 64],
  [{ rope_scaling: { type: 'dynamic', factor: 4 } }, 64],
  [{ rope_scaling: { type: 'yarn', factor: 4 } }, 64],
  // As Qwen2.5's card and DeepSeek's files give it: already stretched, or not yet.
  [{ rope_scaling: { type: 'yarn', factor: 4, original_max_position_embeddings: 16 } }, 64],
  [
    {
      max_position_embeddings: 64,
      rope_scaling: { type: 'yarn', factor: 4, original_max_position_embeddings: 16 },
    },
    64,
  ],
  [
    {
      max_position_embeddings: 64,
      original_max_position_embeddings: 16,
      rope_scaling: { type: 'yarn', factor: 4 },
    },
    64,
  ],
  [
    {
      max_position_embeddings: 64,
      rope_scaling: { type: 'linear', factor: 4, original_max_position_embeddings: 16 },
    },
    64,
  ],
  // Llama 3.1's and Phi-3's files give the stretched length.
  [
    {
      max_position_embeddings: 64,
      rope_scaling: {
        rope_type: 'llama3',
        factor: 8,
        low_freq_factor: 1,
        high_freq_factor: 4,
        original_max_position_embeddings: 16,
      },
    },
    64,
  ],
  [
    {
      max_position_embeddings: 64,
      original_max_position_embeddings: 16,
      rope_scaling: { type: 'su', short_factor: [1, 1], long_factor: [2, 2] },
    },
    64,
  ],
];

for (const [settings, maxLength] of lengths) {
  test(`${JSON.stringify(settings)} takes ${maxLength} tokens`, () => {
    const json = {
      model_type: 'llama',
      vocab_size: 11,
      hidden_size: 8,
      intermediate_size: 8,
      num_attention_heads: 2,
      num_hidden_layers: 1,
      max_position_embeddings: 16,
      ...settings,
    };
    const { network, params } = createModel(json);
    expect(network.maxLength).toBe(maxLength);
    params.dispose();
  });
}

/** A key that nothing reads, and the nearest that is known. */
const unknown: [config: Record<string, unknown>, key: string, nearest: string][] = [
  [{ model_type: 'gpt2', n_layers: 2 }, 'n_layers', 'n_layer'],
  [{ model_type: 'gpt2', n_heads: 2 }, 'n_heads', 'n_head'],
  [{ model_type: 'gpt2', num_layers: 2 }, 'num_layers', 'num_hidden_layers'],
  [{ model_type: 'llama', hidden_dim: 8 }, 'hidden_dim', 'hidden_size'],
  [{ model_type: 'llama', num_layers: 2 }, 'num_layers', 'num_hidden_layers'],
  [{ model_type: 'llama', rope_thata: 2 }, 'rope_thata', 'rope_theta'],
  [{ model_type: 'bert', num_heads: 2 }, 'num_heads', 'num_attention_heads'],
  [{ model_type: 'bert', eos_token: 2 }, 'eos_token', 'eos_token_id'],
  [{ model_type: 't5', d_hidden: 2 }, 'd_hidden', 'hidden_size'],
  [{ model_type: 'headwise', vocabsize: 2 }, 'vocabsize', 'vocabSize'],
];
for (const [config, key, nearest] of unknown) {
  test(`names ${JSON.stringify(config)} and the nearest known key`, () => {
    expect(() => createModel(config)).toThrow(
      `unknown key '${key}'; the nearest known is '${nearest}'`,
    );
  });
}

test('unknown keys of parts, of presets and of changes are named with the nearest', () => {
  const parts = { vocabSize: 5, dim: 4, heads: { count: 1, window_size: 4 } };
  expect(() => createModel({ model_type: 'headwise', ...parts })).toThrow(
    "unknown key 'heads.window_size'; the nearest known is 'window'",
  );
  expect(() =>
    modelFromPreset('gpt2', { n_layers: 1 }, { change: { position: { kind: 'alibi' } } }),
  ).toThrow("unknown key 'n_layers'; the nearest known is 'n_layer'");
  expect(() =>
    modelFromPreset('gpt2', {}, { change: { position: { kind: 'shaw', clips: 2 } as never } }),
  ).toThrow("unknown key 'position.clips'; the nearest known is 'clip'");
});
