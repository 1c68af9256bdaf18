import { start } from '@headwise/kernels';
import { createModel } from '@headwise/models';
import { embed } from '@headwise/text';
import { trainByteLevelBpe } from '@headwise/tokenizers';

await start();
const texts = ['A cat sat.', 'A cat sat!', 'Rain fell all night.'];
const tokenizer = await trainByteLevelBpe(texts, { vocabSize: 270 });
// Random weights; loadEmbeddingModel(folder) gives a sentence model and its tokenizer.
const sizes = {
  vocab_size: tokenizer.vocabSize,
  hidden_size: 16,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 32,
};
const model = createModel({ model_type: 'bert', ...sizes }, { seed: 1 });
const vectors = await embed(model, tokenizer, texts, { normalize: true, dimensions: 8 });
const cosine = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const [first, second, third] = vectors as [Float32Array, Float32Array, Float32Array];
console.log(first.length, cosine(first, second) > cosine(first, third)); // 8 true
