import { InputError } from '@headwise/core';
import {
  collatedBatches,
  DataError,
  type EncodedSentencePair,
  type MarkedTokens,
  sentencePairs,
} from '@headwise/data';
import type { Tokenizer } from '@headwise/tokenizers';
import type { TokenBatch } from '@headwise/training';
import { collateWith } from './finetune/collate-with.js';
import { masksWords } from './masking.js';
import { packed } from './packed-documents.js';
import { pairCollator } from './pretraining.js';
import type { RunConfig, TextData } from './run-config.js';
import type { RunData } from './run-data.js';
import { objectiveTokens } from './run-objectives.js';

/** The training part and the validation part of a text. */
export type TextParts = Readonly<Record<'train' | 'validation', string>>;

/** What a run reads of the documents of a text. */
type DocumentData = Pick<RunData, 'batches' | 'validation' | 'validationBytes' | 'tokens'>;

/** Rows of a validation batch at most. */
const validationRows = 16;

/** The documents of a text: what stands between its separators, without those that are blank. */
const documentsOf = (text: string, separator: string): string[] =>
  text.split(separator).filter((document) => document.trim() !== '');

/** The batches of a run over packed documents: rows of as many whole documents as they hold, each seen by itself. */
export function packedData(
  config: RunConfig,
  data: TextData & { separator: string },
  parts: TextParts,
  tokenizer: Tokenizer,
): DocumentData {
  const { seed, batchSize } = config.training;
  const length = config.model.context;
  const endId = tokenizer.tokenToId(objectiveTokens.end)!;
  const encode = (document: string): MarkedTokens & { bytes: number } => {
    const { ids, offsets } = tokenizer.encode(document);
    // All but the first token is predicted.
    const bytes = new TextEncoder().encode(document.slice(offsets[1]?.[0] ?? document.length));
    return { ids: [...ids, endId], bytes: bytes.length };
  };
  const documents = {
    train: documentsOf(parts.train, data.separator).map(encode),
    validation: documentsOf(parts.validation, data.separator).map(encode),
  };
  const measured = firstOf(documents.validation, ({ ids }) => ids.length, data.validationTokens);
  const rowsOf = (some: readonly MarkedTokens[]) =>
    named(data, () => packed(some, { length, strategy: data.packing }));
  const [train, validation] = [rowsOf(documents.train), rowsOf(measured)];
  return {
    batches: train.shuffled({ batchSize, seed }),
    validation: () => validation.inOrder(validationRows),
    validationBytes: measured.reduce((sum, { bytes }) => sum + bytes, 0),
    tokens: {
      train: countOf(documents.train),
      validation: countOf(documents.validation),
    },
  };
}

/** The batches of a run over pairs of runs of sentences, with masked tokens and whether the second run belongs after the first. */
export function sentenceData(
  config: RunConfig,
  data: TextData & { separator: string },
  parts: TextParts,
  tokenizer: Tokenizer,
): DocumentData {
  const { seed, batchSize } = config.training;
  const { start, end } = objectiveTokens;
  const options = {
    length: config.model.context,
    firstId: tokenizer.tokenToId(start)!,
    separatorId: tokenizer.tokenToId(end)!,
    negatives: config.objective === 'sentence-order' ? ('swapped' as const) : ('random' as const),
    seed,
  };
  const pairsOf = (text: string): EncodedSentencePair[] => {
    const documents = documentsOf(text, data.separator).map((document) =>
      sentencesOf(document).map((sentence) => {
        const { ids, wordIds } = tokenizer.encode(sentence);
        return masksWords(data.masking) ? { ids, wordIds } : ids;
      }),
    );
    return named(data, () => sentencePairs(documents, options));
  };
  const [train, all] = [pairsOf(parts.train), pairsOf(parts.validation)];
  const validation = firstOf(all, ({ ids }) => ids.length, data.validationTokens);
  if (train.length === 0 || validation.length === 0) {
    throw new InputError(
      `'data.corpus' ${data.corpus}: its documents give ${train.length} pairs to train on and ${validation.length} to validate; expected documents of several sentences, parted by 'data.separator' ${JSON.stringify(data.separator)}`,
    );
  }
  const collate = pairCollator(tokenizer, data.masking);
  return {
    batches: collatedBatches(train, collate, { batchSize, seed }),
    *validation(): Iterable<TokenBatch> {
      for (let first = 0; first < validation.length; first += validationRows) {
        yield collateWith(collate, validation.slice(first, first + validationRows), first);
      }
    },
    tokens: { train: countOf(train), validation: countOf(all) },
  };
}

/** The sentences of a document, without those that are blank. */
function sentencesOf(document: string): string[] {
  const sentences = new Intl.Segmenter('en', { granularity: 'sentence' }).segment(document);
  return [...sentences].map(({ segment }) => segment.trim()).filter((sentence) => sentence !== '');
}

/** The first of some that have at most so many tokens together, but at least one. */
function firstOf<T>(some: readonly T[], tokensOf: (one: T) => number, most = Infinity): T[] {
  let tokens = 0;
  return some.filter((one, n) => {
    tokens += tokensOf(one);
    return n === 0 || tokens <= most;
  });
}

const countOf = (some: readonly MarkedTokens[]): number =>
  some.reduce((sum, { ids }) => sum + ids.length, 0);

/** Names the text in what is wrong with its documents. */
function named<T>({ corpus, separator }: TextData, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new InputError(
      `'data.corpus' ${corpus}, documents parted by 'data.separator' ${JSON.stringify(separator)}: ${error.message}`,
      { cause: error },
    );
  }
}
