import { type Tokenizer, trainCharacter } from '@headwise/tokenizers';
import { asSchema } from 'ai';
import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { jsonGrammar } from './json.js';

const printable = String.fromCharCode(...Array.from({ length: 95 }, (_, i) => 32 + i));

let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await trainCharacter([printable]);
});

const tree = z.object({
  value: z.string().max(3),
  get children() {
    return z.array(tree).max(2);
  },
});
const shapes = [
  z.object({ t: z.literal('a'), x: z.string().max(4) }),
  z.object({ t: z.literal('b'), y: z.number() }),
] as const;

/** What people write most with zod; `asSchema` of the AI SDK turns it into draft 7 of JSON Schema. */
const schemas: Readonly<Record<string, z.ZodType>> = {
  numbers: z.object({ a: z.int(), b: z.int().positive(), c: z.number().min(1).max(5) }),
  strings: z.object({ a: z.string().min(1).max(5), b: z.string().regex(/^[a-z]+$/) }),
  'two patterns': z.string().regex(/^a/).regex(/b$/).max(9),
  'begin and end': z.object({ a: z.string().startsWith('ab'), b: z.string().endsWith('x').max(9) }),
  email: z.email(),
  url: z.url(),
  uuid: z.uuid(),
  date: z.iso.date(),
  'date and time': z.iso.datetime(),
  ipv4: z.ipv4(),
  base64: z.base64().max(12),
  ids: z.object({ a: z.nanoid(), b: z.ulid() }),
  tuple: z.tuple([z.string().max(3), z.number()]),
  'tuple with a rest': z.tuple([z.boolean()]).rest(z.int()),
  record: z.record(z.string().max(4), z.int()),
  'record of names': z.record(z.enum(['x', 'y']), z.int()),
  'partial record': z.partialRecord(z.enum(['x', 'y']), z.int()),
  optional: z.object({ a: z.int().optional(), b: z.int().nullable(), c: z.int().default(3) }),
  literals: z.object({ a: z.literal('x'), b: z.literal([1, 2]), c: z.enum(['a', 'b']) }),
  union: z.union([z.string().max(4), z.number()]),
  'discriminated union': z.discriminatedUnion('t', shapes),
  intersection: z.intersection(z.object({ x: z.int() }), z.object({ y: z.int() })),
  arrays: z.array(z.boolean()).min(1).max(3),
  recursive: tree,
  loose: z.looseObject({ a: z.int() }),
  strict: z.strictObject({ a: z.int() }),
  'catch all': z.object({ a: z.int() }).catchall(z.number()),
};

/** One of the outputs of a constraint: tokens from its masks, each as likely. */
function output(constraint: Awaited<ReturnType<ReturnType<typeof jsonGrammar>>>, seed: number) {
  const state = constraint.start();
  const most = state.rest + 40;
  const ids: number[] = [];
  let draw = seed;
  while (!state.done && !(state.rest === 0 && ids.length > most - 9)) {
    const mask = state.mask(most - ids.length)!;
    const allowed = [...Array(tokenizer.vocabSize).keys()].filter(
      (id) => (mask[id >> 5]! >>> (id & 31)) & 1,
    );
    if (allowed.length === 0) break;
    draw = (Math.imul(draw, 1_664_525) + 1_013_904_223) >>> 0;
    const id = allowed[(draw >>> 8) % allowed.length]!;
    state.accept(id);
    ids.push(id);
  }
  return tokenizer.decode(ids);
}

test.each(Object.entries(schemas))('outputs are what zod takes: %s', async (_, schema) => {
  const constraint = await jsonGrammar(tokenizer)(await asSchema(schema).jsonSchema);
  for (let seed = 1; seed <= 3; seed++) {
    const text = output(constraint, seed);
    const { error } = schema.safeParse(JSON.parse(text));
    expect(error, text).toBeUndefined();
  }
});
