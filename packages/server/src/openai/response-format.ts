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

/** The JSON schema that a text is held to; undefined for any text. */
export function schemaOf(format: ResponseFormat | undefined): unknown {
  if (!format || format.type === 'text') return undefined;
  if (format.type === 'json_object') return { type: 'object', additionalProperties: true };
  return format.json_schema.schema ?? true;
}
