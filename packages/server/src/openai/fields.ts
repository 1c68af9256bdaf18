import type { GenerateOptions } from '@headwise/generation';
import type { TextSettings } from '@headwise/text';
import { z } from 'zod';
import { ApiError } from '../http/api-error.js';

/** Fields that say how the tokens of an answer are drawn. */
export interface DrawingFields {
  temperature: number | undefined;
  top_p: number | undefined;
  frequency_penalty: number | undefined;
  presence_penalty: number | undefined;
  logit_bias: Record<string, number> | undefined;
  seed: number | undefined;
  stop: string | string[] | undefined;
  // Not of OpenAI, but of other servers in its form:
  top_k: number | undefined;
  min_p: number | undefined;
  typical_p: number | undefined;
  repetition_penalty: number | undefined;
  min_tokens: number | undefined;
  stop_token_ids: number[] | undefined;
}

/** `DrawingFields`, the number of answers, and how they are sent. */
export interface SamplingFields extends DrawingFields {
  n: number | undefined;
  stream: boolean | undefined;
  stream_options: { include_usage?: boolean | undefined } | undefined;
}

type SchemasOf<T> = { [K in keyof T]-?: z.ZodType<T[K]> };

const whole = z.int();

/** The schema of `DrawingFields`. */
export const drawingFields: SchemasOf<DrawingFields> = {
  temperature: z.number().optional(),
  top_p: z.number().optional(),
  frequency_penalty: z.number().min(-2).max(2).optional(),
  presence_penalty: z.number().min(-2).max(2).optional(),
  logit_bias: z.record(z.string().regex(/^\d+$/, 'expected ids of tokens'), z.number()).optional(),
  seed: whole.optional(),
  stop: z
    .union([z.string(), z.array(z.string()).max(16)], {
      error: 'expected a text, or up to 16 texts',
    })
    .optional(),
  top_k: whole.min(1).optional(),
  min_p: z.number().optional(),
  typical_p: z.number().optional(),
  repetition_penalty: z.number().optional(),
  min_tokens: whole.min(0).optional(),
  stop_token_ids: z.array(whole.min(0)).optional(),
};

/** The schema of `SamplingFields`. */
export const samplingFields: SchemasOf<SamplingFields> = {
  ...drawingFields,
  n: whole.min(1).max(128).optional(),
  stream: z.boolean().optional(),
  // Obfuscation pads events against those who measure their length on the way; no event of ours is padded.
  stream_options: z
    .strictObject({
      include_usage: z.boolean().optional(),
      include_obfuscation: z.boolean().optional(),
    })
    .optional(),
};

const anything = z.unknown().optional();

type IdleField =
  | 'user'
  | 'metadata'
  | 'service_tier'
  | 'safety_identifier'
  | 'prompt_cache_key'
  | 'prompt_cache_retention';

/** The schema of fields that change nothing of an answer. */
export const idleFields: Record<IdleField, z.ZodType<unknown>> = {
  user: anything,
  metadata: anything,
  service_tier: anything,
  safety_identifier: anything,
  prompt_cache_key: anything,
  prompt_cache_retention: anything,
};

/**
 * Options of generation from the fields of a request; those that are absent stay the model's own.
 *
 * @param n answers that are drawn
 */
export function settingsFrom(
  fields: DrawingFields,
  own: TextSettings | undefined,
  n = 1,
): TextSettings {
  const { stop, stop_token_ids: stopIds, logit_bias: bias } = fields;
  const settings: TextSettings = {
    temperature: fields.temperature,
    topP: fields.top_p,
    topK: fields.top_k,
    minP: fields.min_p,
    typicalP: fields.typical_p,
    repetitionPenalty: fields.repetition_penalty,
    frequencyPenalty: fields.frequency_penalty,
    presencePenalty: fields.presence_penalty,
    minNewTokens: fields.min_tokens,
  };
  if (bias) {
    settings.logitBias = new Map(Object.entries(bias).map(([id, value]) => [Number(id), value]));
  }
  if (stopIds) settings.stopIds = [...(own?.stopIds ?? []), ...stopIds];
  if (stop !== undefined) settings.stop = [own?.stop ?? [], stop].flat();
  settings.seed = fields.seed ?? randomSeed(n);
  return settings;
}

/** A seed for a request that has none, with which n answers can be drawn. */
export const randomSeed = (n: number): number =>
  crypto.getRandomValues(new Uint32Array(1))[0]! % (2 ** 32 - n);

/** The options of the n-th answer: each draws with a seed of its own. */
export const withSeed = <T extends GenerateOptions>(settings: T, n: number): T => ({
  ...settings,
  seed: settings.seed! + n,
});

/** @throws ApiError 400 naming the first of some fields that is given, with what to do instead */
export function refuseFields(body: unknown, refused: Readonly<Record<string, string>>): void {
  if (typeof body !== 'object' || body === null) return;
  for (const [field, why] of Object.entries(refused)) {
    const value = (body as Record<string, unknown>)[field];
    if (value === undefined || value === null) continue;
    throw new ApiError(400, `'${field}' is not supported: ${why}`, {
      param: field,
      code: 'unsupported_field',
    });
  }
}

/** @throws ApiError 400 where a request asks for more sequences than the limit */
export function checkSequences(count: number, most: number): void {
  if (count <= most) return;
  throw new ApiError(400, `the request asks for ${count} sequences; the limit is ${most}`);
}

/** How many tokens a request took. */
export const usageOf = (prompt: number, completion: number): object => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
});

/** An id of an answer, such as `cmpl-…`. */
export const newId = (prefix: string): string =>
  `${prefix}-${crypto.randomUUID().replaceAll('-', '')}`;

/** Seconds since 1970. */
export const now = (): number => Math.floor(Date.now() / 1000);
