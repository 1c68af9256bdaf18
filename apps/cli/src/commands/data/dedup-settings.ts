import { InputError } from '@headwise/core';
import type { DedupMethod, DedupSettings } from '@headwise/data/node';
import { z } from 'zod';

/** Names of methods, as commands and pipeline files have them. */
export const dedupMethods = {
  exact: 'exact',
  minhash: 'minhash',
  lines: 'line',
  paragraphs: 'paragraph',
  substrings: 'substring',
} satisfies Record<string, DedupMethod>;

const whole = z.number().int().min(1);

/** The keys of a pipeline file's `dedup` beside those of its output, as the flags of `data dedup`. */
export const dedupKeys = {
  method: z.enum(Object.keys(dedupMethods) as [keyof typeof dedupMethods]).optional(),
  shingle: whole.optional(),
  bands: whole.optional(),
  hashes: whole.optional(),
  seed: z.number().int().min(0).optional(),
  words: z.enum(['english', 'spaces']).optional(),
  length: whole.optional(),
};

/** What is said of how documents are compared. */
export interface DedupGiven {
  method?: keyof typeof dedupMethods | undefined;
  shingle?: number | undefined;
  bands?: number | undefined;
  hashes?: number | undefined;
  seed?: number | undefined;
  words?: 'english' | 'spaces' | undefined;
  length?: number | undefined;
}

/**
 * How documents are compared.
 *
 * @param named a setting as it was given: `--bands`, `'dedup.bands'`
 * @throws InputError for a setting that the method does not have
 */
export function dedupSettings(
  { method = 'minhash', length, shingle, bands, hashes, seed, words }: DedupGiven,
  named: (key: string) => string,
): DedupSettings {
  const refuse = (key: string, value: unknown, only: string): never => {
    throw new InputError(
      `${named(key)} is ${value}, expected with ${named('method')} ${only} only, not ${method}`,
    );
  };
  const minhash = Object.fromEntries(
    Object.entries({ shingle, bands, hashes, seed, words }).filter(
      ([, value]) => value !== undefined,
    ),
  );
  const [first] = Object.entries(minhash);
  if (first && method !== 'minhash') refuse(...first, 'minhash');
  if (length !== undefined && method !== 'substrings') refuse('length', length, 'substrings');
  return {
    method: dedupMethods[method],
    ...(first && { minhash }),
    ...(length !== undefined && { length }),
  };
}
