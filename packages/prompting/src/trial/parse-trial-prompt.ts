import { InputError } from '@headwise/core';
import { z } from 'zod';
import { normalizations } from '../options/normalization.js';
import { defineTrialPrompt, type TrialPrompt, type TrialPromptDefinition } from './trial-prompt.js';

const side = z.enum(['start', 'end']);
const text = z.string();
const count = z.int().min(1);
const bounds = {
  whole: z.boolean().optional(),
  cut: side.optional(),
  priority: z.number().optional(),
};
const slot = z.union([
  z.strictObject({
    kind: z.literal('text').optional(),
    oneOf: z.array(text).optional(),
    ...bounds,
  }),
  z.strictObject({ kind: z.literal('number') }),
  z.strictObject({
    kind: z.literal('list'),
    separator: text.optional(),
    end: text.optional(),
    least: z.int().min(0).optional(),
    ...bounds,
  }),
]);
const definition = z.strictObject({
  name: text.min(1),
  instruction: text.optional(),
  question: text,
  answer: text,
  as: z.enum(['text', 'messages']).optional(),
  separator: text.optional(),
  slots: z.record(text, slot).optional(),
  label: text.optional(),
  by: z.enum(['score', 'write']).optional(),
  normalization: z.enum(normalizations).optional(),
  contentFree: z.array(z.record(text, z.union([text, z.number(), z.array(text)]))).optional(),
  pattern: text.optional(),
  maxNewTokens: count.optional(),
  stop: z.union([text, z.array(text)]).optional(),
  reason: text.optional(),
  conclude: text.optional(),
  reasoningTokens: count.optional(),
}) satisfies z.ZodType<TrialPromptDefinition>;

/**
 * A prompt to try, from JSON: the keys are those of `TrialPromptDefinition`.
 *
 * @param file the file's name, for errors
 * @param name what reports name it by, where the JSON does not say
 * @throws InputError naming the file and the key that is missing, unknown or of another kind; as `defineTrialPrompt`
 */
export function parseTrialPrompt(
  json: unknown,
  { file, name }: { file: string; name: string },
): TrialPrompt {
  const given = typeof json === 'object' && json !== null ? { name, ...json } : json;
  const checked = definition.safeParse(given);
  if (checked.success) return defineTrialPrompt(checked.data);
  const [issue] = checked.error.issues;
  const path = issue!.path.join('.');
  throw new InputError(`${file}: ${path === '' ? 'the prompt' : `'${path}'`}: ${issue!.message}`);
}
