import { draftModel, type GenerateOptions, generate, generateBatch } from '@headwise/generation';
import { createModel } from '@headwise/models';
import { trainByteLevelBpe } from '@headwise/tokenizers';
import { expect, onTestFinished, test } from 'vitest';
import { createGrammar } from './grammar.js';

const schema = {
  type: 'object',
  properties: {
    name: { type: 'string', maxLength: 6 },
    tags: { type: 'array', items: { enum: ['a', 'größe'] }, maxItems: 2 },
    id: { type: 'string', pattern: '^[A-C]\\d$' },
  },
  required: ['name', 'tags', 'id'],
};

test('a model on WebGPU writes JSON of a schema, the same with drafts and in a batch', async () => {
  const texts = [JSON.stringify({ name: 'Ahab', tags: ['a', 'größe'], id: 'A1' })];
  const tokenizer = await trainByteLevelBpe(texts, { vocabSize: 280 });
  const sizes = { vocab_size: 283, n_positions: 128, n_embd: 16, n_layer: 1, n_head: 2 };
  const config = { model_type: 'gpt2', ...sizes, initializer_range: 0.3 } as const;
  const { network, params } = createModel(config, { seed: 1 });
  onTestFinished(() => params.dispose());
  const constraint = createGrammar(tokenizer).jsonSchema(schema);
  const written = async (options: GenerateOptions) => {
    const ids: number[] = [];
    for await (const id of generate(network, [5], options)) ids.push(id);
    return ids;
  };
  const options = { constraint, maxNewTokens: constraint.start().rest + 8, seed: 2 };
  const ids = await written(options);
  const value = JSON.parse(tokenizer.decode(ids));
  expect(Object.keys(value)).toEqual(['name', 'tags', 'id']);
  expect(value.id).toMatch(/^[A-C]\d$/);
  // Nearly every draft is right: several masks of one pass count.
  expect(await written({ ...options, speculation: draftModel(network) })).toEqual(ids);
  const { sequences } = await generateBatch(network, [[5], [9, 4]], options);
  expect(sequences[0]!.tokens.map(({ id }) => id)).toEqual(ids);
});
