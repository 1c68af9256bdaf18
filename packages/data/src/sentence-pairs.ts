import type { EncodedText } from './collate.js';
import { checkWhole, DataError } from './errors.js';
import {
  checkProbability,
  type MaskedBatch,
  type MaskTokensOptions,
  maskTokens,
} from './mask-tokens.js';
import { below, fraction, sfc32 } from './random.js';

/** A text as its sentences, each as token ids, or as an encoding with the words of its tokens. */
export type Sentences = readonly (ArrayLike<number> | Pick<EncodedText, 'ids' | 'wordIds'>)[];

/** Two runs of sentences as one row, `[CLS] A [SEP] B [SEP]`, and whether B belongs after A. */
export interface EncodedSentencePair extends EncodedText {
  readonly specialTokensMask: readonly number[];
  /** 0 for the tokens of A, 1 for those of B. */
  readonly typeIds: readonly number[];
  /** 0: B follows A in the document; 1: it does not. */
  readonly label: number;
}

export interface SentencePairsOptions {
  /** The most tokens that a row has, the three special ones included. */
  length: number;
  /** The id of `[CLS]`. */
  firstId: number;
  /** The id of `[SEP]`. */
  separatorId: number;
  /** What a B that does not belong is: sentences of another document (`random`, default), or A and B exchanged (`swapped`). */
  negatives?: 'random' | 'swapped' | undefined;
  /** The share of documents that are cut into shorter rows, of a random length each; default 0.1. */
  shortShare?: number | undefined;
  /** A whole number up to 2^53 − 1; default 0. Another seed draws other pairs of the same documents. */
  seed?: number | undefined;
}

/** Numbers drawn here are unrelated to those of other collators with the same seed. */
const pairing = 3;

/**
 * Cuts documents into pairs for next-sentence prediction (BERT), or with `swapped` for sentence-order prediction (ALBERT).
 *
 * Sentences are gathered up to `length` and split in two at random. Half of the pairs keep their second part; in the others it is replaced,
 * and its sentences come again in the next pair. Pairs that are too long lose tokens of the longer part, at either end. A run of one sentence
 * always gets a random B, and gives no swapped pair. Where all sentences have words, so do pairs: those of a sentence are told from the
 * words of all others.
 *
 * @returns the pairs, in the order of the documents
 * @throws DataError for fewer than two documents where B is random, an empty document or sentence, and a `length` below 5
 * @see Devlin et al. 2019, appendix A.2, https://arxiv.org/abs/1810.04805; Lan et al. 2020, section 3.1, https://arxiv.org/abs/1909.11942
 */
export function sentencePairs(
  documents: readonly Sentences[],
  options: SentencePairsOptions,
): EncodedSentencePair[] {
  const { length, negatives = 'random', shortShare = 0.1, seed = 0 } = options;
  checkWhole('length', length, 5);
  checkWhole('seed', seed, 0);
  checkProbability('shortShare', shortShare);
  checkDocuments(documents, negatives);
  const most = length - 3;
  const { numbered, table } = tokenTable(documents);
  return numbered.flatMap((document, number) => {
    const next = sfc32(seed, number, pairing);
    const wanted = fraction(next) < shortShare ? 2 + below(most - 1, next) : most;
    const draw = (tokens: number) => tokensOfAnother(numbered, number, tokens, next);
    return pairsOf(document, { wanted, negatives, draw, next }).map((pair) => {
      truncate(pair.a, pair.b, most, next);
      return joined(pair, table, options);
    });
  });
}

/** Sentences of one document, each as the numbers of its tokens in a table. */
type NumberedSentences = readonly (readonly number[])[];

/** The tokens of all documents one after the other. */
interface TokenTable {
  ids: number[];
  /** The word of each, unlike those of other sentences; null for a token of none. Absent where a sentence has no words. */
  words: (number | null)[] | undefined;
}

function tokenTable(documents: readonly Sentences[]): {
  numbered: NumberedSentences[];
  table: TokenTable;
} {
  const ids: number[] = [];
  const words: (number | null)[] = [];
  let firstWord = 0;
  const numbered = documents.map((document) =>
    document.map((sentence) => {
      const first = ids.length;
      const own = idsOf(sentence);
      const wordIds = 'ids' in sentence ? sentence.wordIds : undefined;
      let nextWord = firstWord;
      for (let i = 0; i < own.length; i++) {
        ids.push(own[i]!);
        if (!wordIds) continue;
        const word = wordIds[i] ?? null;
        words.push(word === null ? null : firstWord + word);
        if (word !== null) nextWord = Math.max(nextWord, firstWord + word + 1);
      }
      firstWord = nextWord;
      return Array.from({ length: own.length }, (_, i) => first + i);
    }),
  );
  return { numbered, table: { ids, words: words.length === ids.length ? words : undefined } };
}

const idsOf = (sentence: Sentences[number]): ArrayLike<number> =>
  'ids' in sentence ? sentence.ids : sentence;

/** What a document is cut with; tokens are numbers in a table. */
interface Cut {
  /** The tokens that a pair is filled up to. */
  wanted: number;
  negatives: 'random' | 'swapped';
  /** At least so many tokens of another document, where it has them. */
  draw: (tokens: number) => number[];
  next: () => number;
}

interface Pair {
  a: number[];
  b: number[];
  label: number;
}

function pairsOf(document: NumberedSentences, { wanted, negatives, draw, next }: Cut): Pair[] {
  const pairs: Pair[] = [];
  for (let first = 0; first < document.length; ) {
    let [end, tokens] = [first, 0];
    while (end < document.length && tokens < wanted) tokens += document[end++]!.length;
    const count = end - first;
    const split = first + (count > 1 ? 1 + below(count - 1, next) : 1);
    const [a, b] = [tokensOf(document.slice(first, split)), tokensOf(document.slice(split, end))];
    const negative = (count === 1 && negatives === 'random') || (count > 1 && fraction(next) < 0.5);
    if (negative && negatives === 'random') {
      pairs.push({ a, b: draw(Math.max(1, wanted - a.length)), label: 1 });
      // The sentences of B were not used.
      end = split;
    } else if (count > 1) {
      pairs.push(negative ? { a: b, b: a, label: 1 } : { a, b, label: 0 });
    }
    first = end;
  }
  return pairs;
}

const tokensOf = (sentences: NumberedSentences): number[] => sentences.flat();

function tokensOfAnother(
  documents: readonly NumberedSentences[],
  number: number,
  least: number,
  next: () => number,
): number[] {
  const drawn = below(documents.length - 1, next);
  const other = documents[drawn < number ? drawn : drawn + 1]!;
  const tokens: number[] = [];
  for (let i = below(other.length, next); i < other.length && tokens.length < least; i++) {
    tokens.push(...other[i]!);
  }
  return tokens;
}

/** Takes tokens from either end of the longer part until both fit. */
function truncate(a: number[], b: number[], most: number, next: () => number): void {
  while (a.length + b.length > most) {
    const longer = a.length > b.length ? a : b;
    if (fraction(next) < 0.5) longer.shift();
    else longer.pop();
  }
}

function joined(
  { a, b, label }: Pair,
  { ids, words }: TokenTable,
  { firstId, separatorId }: SentencePairsOptions,
): EncodedSentencePair {
  const zeros = (part: readonly number[]) => part.map(() => 0);
  const [idsOfA, idsOfB] = [a, b].map((part) => part.map((token) => ids[token]!));
  const wordsOf = (part: readonly number[]) => part.map((token) => words![token]!);
  return {
    ids: [firstId, ...idsOfA!, separatorId, ...idsOfB!, separatorId],
    ...(words && { wordIds: [null, ...wordsOf(a), null, ...wordsOf(b), null] }),
    specialTokensMask: [1, ...zeros(a), 1, ...zeros(b), 1],
    typeIds: [0, ...zeros(a), 0, ...b.map(() => 1), 1],
    label,
  };
}

function checkDocuments(documents: readonly Sentences[], negatives: 'random' | 'swapped'): void {
  const least = negatives === 'random' ? 2 : 1;
  if (documents.length < least) {
    throw new DataError(
      `there are ${documents.length} documents, expected at least ${least}${least === 2 ? ': the sentences of another are drawn' : ''}`,
    );
  }
  for (const [n, document] of documents.entries()) {
    const empty = document.findIndex((sentence) => idsOf(sentence).length === 0);
    if (document.length === 0 || empty >= 0) {
      throw new DataError(
        `document ${n} has ${document.length === 0 ? 'no sentences' : `no tokens in its sentence ${empty}`}, expected at least one`,
      );
    }
  }
}

/** Pairs of sentences with masked tokens, and whether each second part belongs after the first. */
export interface MaskedPairBatch extends MaskedBatch {
  /** `[B]`, 0 where the second part follows the first in the document, else 1. */
  readonly labels: Int32Array;
}

/**
 * Masks tokens of sentence pairs, as `maskTokens` does, and gives their labels: what BERT is pre-trained on.
 *
 * @throws DataError as `maskTokens`
 */
export function maskPairs(
  options: MaskTokensOptions,
): (examples: readonly EncodedSentencePair[], next: () => number) => MaskedPairBatch {
  const mask = maskTokens(options);
  return (examples, next) => ({
    ...mask(examples, next),
    labels: Int32Array.from(examples, ({ label }) => label),
  });
}
