import { expect, test } from 'vitest';
import { classifierConfig } from './classes.js';

const sizes = { vocab_size: 19, hidden_size: 12, num_hidden_layers: 1, num_attention_heads: 3 };
const bert = {
  ...{ model_type: 'bert', architectures: ['BertForMaskedLM'], ...sizes },
  ...{ intermediate_size: 20, max_position_embeddings: 16 },
};
const gpt2 = {
  ...{ model_type: 'gpt2', architectures: ['GPT2LMHeadModel'], vocab_size: 19, n_positions: 16 },
  ...{ n_embd: 12, n_layer: 1, n_head: 3 },
};
const llama = {
  ...{ model_type: 'llama', architectures: ['LlamaForCausalLM'], ...sizes },
  ...{ intermediate_size: 20, max_position_embeddings: 16 },
};
const examples = ['good', 'bad', 'good'].map((label) => ({ text: label, label }));

test.each([
  [bert, 'BertForSequenceClassification'],
  [gpt2, 'GPT2ForSequenceClassification'],
])('the head of a model is exchanged for one of the labels', (json, architecture) => {
  expect(classifierConfig(json, examples)).toMatchObject({
    architectures: [architecture],
    id2label: { 0: 'bad', 1: 'good' },
  });
});

test('a family without such a head is named, with what was expected', () => {
  expect(() => classifierConfig(llama, examples)).toThrow(
    `config.json: 'architectures' is ["LlamaForCausalLM"], of the model type "llama", which has no head that classifies texts here; expected an encoder, such as BERT or RoBERTa, or GPT-2`,
  );
});
