import { type GenerateOptions, generate } from '@headwise/generation';
import { createGrammar, type TokenTexts } from '@headwise/grammar';
import { createModel } from '@headwise/models';
import type { Contestants, Workload } from '@headwise/testing';
import { endless } from './endless.js';
import { llamaSmall } from './models.js';

const vocabulary = llamaSmall.vocab_size;

/** The 256 bytes, and words of two to five letters. */
const texts = Array.from({ length: vocabulary }, (_, id) => {
  if (id < 256) return Uint8Array.of(id);
  const letters = Array.from(
    { length: 2 + (id % 4) },
    (_, i) => 97 + (Math.floor(id / 7 ** i) % 26),
  );
  return Uint8Array.from(id % 3 === 0 ? [32, ...letters] : letters);
});
const tokens: TokenTexts = {
  vocabSize: texts.length,
  addedTokens: [],
  idToToken: (id) => (texts[id] ? `${id}` : undefined),
  tokenBytes: (id) => texts[id],
  decode: (ids) => Array.from(ids, (id) => new TextDecoder().decode(texts[id]!)).join(''),
};

const schema = {
  type: 'object',
  properties: {
    name: { type: 'string', maxLength: 80 },
    age: { type: 'integer', minimum: 0, maximum: 120 },
    tags: { type: 'array', items: { type: 'string' }, minItems: 3, maxItems: 9 },
  },
  required: ['name', 'age', 'tags'],
};

/** One token within a schema and without, each read before the next. */
async function contestants(): Promise<Contestants> {
  const { network, params } = createModel(llamaSmall, { seed: 1 });
  const constraint = createGrammar(tokens).jsonSchema(schema);
  const prompt = Array.from({ length: 32 }, (_, i) => (i * 7919 + 464) % network.vocabSize);
  const tokensOf = (own: GenerateOptions) =>
    endless((seed) => generate(network, prompt, { maxNewTokens: 96, runAhead: 1, seed, ...own }));
  const within = tokensOf({ constraint });
  const plain = tokensOf({});
  return {
    ours: within.next,
    peers: { plain: plain.next },
    dispose: () => {
      within.end();
      plain.end();
      params.dispose();
    },
  };
}

export const workloads: Workload[] = [
  { name: 'generate/json-schema', backends: ['webgpu'] as const, prepare: contestants },
];
