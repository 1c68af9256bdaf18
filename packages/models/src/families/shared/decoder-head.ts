import { InputError } from '@headwise/core';
import type { HeadPart } from '../../build/model-configuration.js';
import type { Held, KeyCopy } from '../../family.js';

/** The settings of a decoder's head. */
export interface HeadSettings {
  [key: string]: unknown;
  architectures?: readonly string[] | undefined;
  tie_word_embeddings: boolean;
}

/**
 * The head of a decoder: none for a class without one, unless it is tied and needs no weights.
 *
 * @param bare the name of the class without a head
 */
export function decoderHead(config: HeadSettings, bare: string): HeadPart {
  const { architectures: [name] = [], tie_word_embeddings: tied } = config;
  return name === bare && !tied ? { kind: 'none' } : { kind: 'language-model', tied };
}

/** Where a tied head repeats the embeddings. */
export const headCopy =
  (embeddings: string) =>
  ({ tie_word_embeddings: tied }: HeadSettings): KeyCopy[] =>
    tied ? [['lm_head.weight', embeddings]] : [];

/**
 * A decoder's configuration as its checkpoint's tensors have it: a head that differs from the embeddings is not tied,
 * and a class without a head has one where its weights are there.
 *
 * @param whole the name of the class with a head
 */
export const fittedHead =
  (bare: string, whole: string) =>
  <Config extends HeadSettings>(config: Config, { has, differing }: Held): Config => {
    const untied = differing.includes('lm_head.weight');
    const head = config.architectures?.[0] === bare && has('lm_head.weight');
    return {
      ...config,
      ...(untied ? { tie_word_embeddings: false } : {}),
      ...(head && (untied || !config.tie_word_embeddings) ? { architectures: [whole] } : {}),
    };
  };

/**
 * The id whose embedding gets no gradient from lookups, as PyTorch's `padding_idx`: a negative one counts from the
 * end.
 *
 * @throws InputError for an id beyond the vocabulary
 */
export function paddingRow(
  padId: number | null | undefined,
  vocabSize: number,
  name: string,
): number | undefined {
  if (padId == null) return undefined;
  const row = padId < 0 ? vocabSize + padId : padId;
  if (row >= 0 && row < vocabSize) return row;
  throw new InputError(
    `${name}: 'pad_token_id' is ${padId}; expected an id of the vocabulary of ${vocabSize}`,
  );
}
