import { expect, test } from 'vitest';
import { familyOf } from './model.js';

const parse = (json: Record<string, unknown>) => familyOf(json).parseConfig(json);

/** A setting that is not built, or does not hold together, and what is said of it. */
const refused: [config: Record<string, unknown>, message: RegExp][] = [
  [{ model_type: 'gpt9' }, /'model_type' is "gpt9"; known are headwise, gpt2/],
  [{ model_type: 'constructor' }, /'model_type' is "constructor"; known are/],
  [
    { model_type: 'gpt2', scale_attn_by_inverse_layer_idx: true },
    /'scale_attn_by_inverse_layer_idx' is true/,
  ],
  [
    { model_type: 'gpt2', architectures: ['GPT2DoubleHeadsModel'] },
    /'architectures\.0' is "GPT2DoubleHeadsModel"/,
  ],
  [{ model_type: 'gpt2', activation_function: 'mish' }, /'activation_function' is "mish"/],
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
    /'rope_scaling\.rope_type' is (missing|"longrope")/,
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
    scaling: { ...scaled, rope_type: 'linear' },
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
