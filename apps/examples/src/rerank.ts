import { start } from '@headwise/kernels';
import { createModel } from '@headwise/models';
import { rerank } from '@headwise/text';
import { trainByteLevelBpe } from '@headwise/tokenizers';

await start();
const texts = ['A cat sat.', 'Rain fell all night.', 'Cats sit on mats.'];
const tokenizer = await trainByteLevelBpe(texts, { vocabSize: 270 });
// Random weights; loadReranker(folder) gives a cross-encoder and its tokenizer.
const sizes = {
  vocab_size: tokenizer.vocabSize,
  hidden_size: 16,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 32,
};
const architectures = ['BertForSequenceClassification'];
const model = createModel(
  { model_type: 'bert', architectures, num_labels: 1, ...sizes },
  { seed: 1 },
);
const ranked = await rerank(model, tokenizer, 'Where do cats sit?', texts, { topN: 2 });
const [best, second] = ranked as [(typeof ranked)[0], (typeof ranked)[0]];
console.log(ranked.length, best.score >= second.score); // 2 true
