import {
  type CollatedBatches,
  type Collator,
  collatedBatches,
  type MarkedTokens,
  tokenBatches,
} from '@headwise/data';
import type { ExampleBatch } from '@headwise/training';
import { packed } from '../packed-documents.js';
import { collateWith } from './collate-with.js';
import type { FinetuneConfig } from './config.js';
import type { EncodedExamples } from './encode.js';

/** The examples of a run, in two parts. */
type Parts = Readonly<Record<'train' | 'validation', readonly unknown[]>>;

/** What a run reads of its examples. */
export interface ReadExamples {
  batches: CollatedBatches<ExampleBatch>;
  /** The batches to measure on; what is random in them is the same every time. */
  measured(): Iterable<ExampleBatch>;
  /** Rows to train on, where examples share them. */
  rows?: number | undefined;
}

/** The batches of examples: rows that several share where they are packed, else a row each. */
export function readExamples(
  parts: Parts,
  { lesson, packing }: Pick<EncodedExamples, 'lesson' | 'packing'>,
  training: FinetuneConfig['training'],
): ReadExamples {
  return packing ? packedExamples(parts, packing, training) : ownRows(parts, lesson, training);
}

function packedExamples(
  { train, validation }: Parts,
  packing: NonNullable<EncodedExamples['packing']>,
  { batchSize, seed }: FinetuneConfig['training'],
): ReadExamples {
  const rowsOf = (examples: readonly unknown[]) =>
    packed(examples as readonly MarkedTokens[], packing);
  const rows = rowsOf(train);
  const held = validation.length > 0 ? rowsOf(validation) : undefined;
  return {
    batches: rows.shuffled({ batchSize, seed }),
    measured: () => held?.inOrder(batchSize) ?? [],
    rows: rows.rows,
  };
}

function ownRows(
  { train, validation }: Parts,
  { collate, sizeOf, leastRows = 1 }: EncodedExamples['lesson'],
  { batchSize, batchTokens, seed }: FinetuneConfig['training'],
): ReadExamples {
  const lengthOf = (example: unknown) => {
    const { tokens, sourceTokens = 0 } = sizeOf(example);
    return Math.max(tokens, sourceTokens);
  };
  return {
    batches:
      batchTokens === undefined
        ? collatedBatches(train, collate, { batchSize, seed })
        : tokenBatches(train, collate, { batchTokens, batchSize, lengthOf, seed }),
    measured: () => inOrder(validation, collate, { size: batchSize, leastRows }),
  };
}

/** Batches in the order of the examples, but for a last one that is too small to measure; what is random in them is the same every time. */
function* inOrder<T, B>(
  examples: readonly T[],
  collate: Collator<T, B>,
  { size, leastRows }: { size: number; leastRows: number },
): Generator<B> {
  for (let first = 0; first + leastRows <= examples.length; first += size) {
    yield collateWith(collate, examples.slice(first, first + size), first);
  }
}
