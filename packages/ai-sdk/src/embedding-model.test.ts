import { createModel } from '@headwise/models';
import { embed as headwiseEmbed } from '@headwise/text';
import { trainCharacter } from '@headwise/tokenizers';
import { cosineSimilarity, embed, embedMany } from 'ai';
import { afterAll, expect, test } from 'vitest';
import { embeddingModel } from './index.js';

const tokenizer = await trainCharacter(['abcdefgh qy:']);
const sizes = {
  hidden_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 8,
};
const config = { model_type: 'bert', ...sizes, max_position_embeddings: 12 };
const bert = createModel({ ...config, vocab_size: tokenizer.vocabSize }, { seed: 1 });
afterAll(() => bert.params.dispose());
const embedding = { pooling: 'cls', normalize: true, prompts: { query: 'q: ' } } as const;
const sentence = { model: { network: bert.network, embedding }, tokenizer };
const values = ['ab', 'cdefg', 'h', 'ba'];

test('one value and many are what embed gives, with their tokens', async () => {
  const model = embeddingModel(sentence, { modelId: 'tiny' });
  const expected = await headwiseEmbed(sentence.model, tokenizer, values);
  const many = await embedMany({ model, values });
  expect(many.embeddings).toEqual(expected.map((vector) => [...vector]));
  expect(many.usage.tokens).toBe(10);
  expect(many.warnings).toEqual([]);
  const one = await embed({ model, value: 'ab' });
  expect(cosineSimilarity(one.embedding, many.embeddings[0]!)).toBeCloseTo(1, 5);
  expect((await embedMany({ model, values: [] })).embeddings).toEqual([]);
});

test('options of the model and of a call are those of embed', async () => {
  const model = embeddingModel(sentence, { pooling: 'mean', truncate: true });
  const providerOptions = { headwise: { promptName: 'query', dimensions: 3 } };
  const { embedding: found, usage } = await embed({ model, value: 'abcdefghab', providerOptions });
  const [expected] = await headwiseEmbed(sentence.model, tokenizer, ['abcdefghab'], {
    pooling: 'mean',
    truncate: true,
    promptName: 'query',
    dimensions: 3,
  });
  expect(found).toEqual([...expected!]);
  expect(usage.tokens).toBe(12);
});

test('what cannot be embedded is an error, an abort too', async () => {
  const model = embeddingModel(sentence);
  const refused = (options: object, message: string) =>
    expect(embed({ model, value: 'a', ...options })).rejects.toThrow(message);
  await refused({ value: '' }, 'texts[0] has no tokens');
  await refused({ value: 'a'.repeat(13) }, 'texts[0] has 13 tokens');
  await refused(
    { providerOptions: { headwise: { pooling: 'max' } } },
    'providerOptions.headwise.pooling is "max"; expected promptName',
  );
  await refused({ abortSignal: AbortSignal.abort() }, 'aborted');
});
