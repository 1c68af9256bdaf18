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
