import type { Document } from '../documents/document.js';
import { below, sfc32 } from '../random.js';
import { type Input, openInputs } from './inputs.js';

/** A document, and its number among all. */
export interface FoundDocument extends Document {
  readonly number: number;
}

/** Which documents are looked for. */
export interface WantedDocuments {
  /** The number of the first, counted from 0. */
  readonly index: number;
  /** Instead: the documents of this id. */
  readonly id?: string | undefined;
  /** Instead: documents drawn with this seed, each as likely as any other, in their order. */
  readonly random?: number | undefined;
  readonly count: number;
}

/**
 * Finds documents in one pass; those that are found are held.
 *
 * @throws DataError naming what is not a document
 */
export async function findDocuments(
  inputs: readonly Input[],
  { index, id, random, count }: WantedDocuments,
): Promise<FoundDocument[]> {
  const found: FoundDocument[] = [];
  const next = random === undefined ? undefined : sfc32(random, 0);
  let number = 0;
  for await (const { line: _, ...document } of openInputs(inputs)) {
    const each = { ...document, number: number++ };
    if (next) {
      // Reservoir sampling: document n takes a place with the probability count / (n + 1).
      const place = found.length < count ? found.length : below(number, next);
      if (place < count) found[place] = each;
      continue;
    }
    if (id === undefined ? each.number >= index : each.id === id) found.push(each);
    if (found.length === count) return found;
  }
  return found.sort((a, b) => a.number - b.number);
}
