import type { Constraint } from '@headwise/generation';
import { createGrammar, type Grammar } from '@headwise/grammar';
import type { Tokenizer } from '@headwise/tokenizers';
import { z } from 'zod';

/** The form of an answer: text, any JSON, or JSON that is valid against a schema. */
export type ResponseFormat =
  | { type: 'text' }
  | { type: 'json_object' }
  | { type: 'json_schema'; json_schema: { schema?: Record<string, unknown> | undefined } };

/** The schema of `ResponseFormat`. */
export const responseFormat: z.ZodType<ResponseFormat> = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text') }),
  z.strictObject({ type: z.literal('json_object') }),
  z.strictObject({
    type: z.literal('json_schema'),
    json_schema: z.strictObject({
      name: z.string(),
      description: z.string().optional(),
      schema: z.record(z.string(), z.unknown()).optional(),
      // Answers are held to their schema in any case.
      strict: z.boolean().nullish(),
    }),
  }),
]);

const grammars = new WeakMap<Tokenizer, Grammar>();

/** What holds the tokens of an answer to its form; undefined for text. @throws InputError for a schema that is not supported */
export function constraintOf(
  format: ResponseFormat | undefined,
  tokenizer: Tokenizer,
): Constraint | undefined {
  if (!format || format.type === 'text') return undefined;
  const grammar = grammars.get(tokenizer) ?? createGrammar(tokenizer);
  grammars.set(tokenizer, grammar);
  if (format.type === 'json_object') return grammar.json();
  return grammar.jsonSchema(format.json_schema.schema ?? {});
}
