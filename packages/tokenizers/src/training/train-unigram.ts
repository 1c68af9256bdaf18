import { emptyFrame, specialTokenJson } from '../formats/frames.js';
import type { Texts } from '../string-lists.js';
import { stringToUnits } from '../text/normalized-text.js';
import { Tokenizer } from '../tokenizer.js';
import { alphabetOf } from './alphabet.js';
import { checkVocabSize, type TrainOptions, withUnknown } from './options.js';
import { PieceLattice } from './piece-lattice.js';
import { prune } from './prune-pieces.js';
import { seedPieces } from './seed-pieces.js';
import { metaspace } from './train-bpe.js';
import { type CountedWord, countWords } from './words.js';

const unknownToken = '<unk>';
/** Pieces that are expected less often are dropped. */
const leastExpected = 0.5;
const roundsBetweenPrunings = 2;
/** Of the pieces, those to be left after a pruning. */
const shrinking = 0.75;

export interface TrainUnigramOptions extends TrainOptions {
  /** Characters of a piece at most; default 16. */
  maxPieceLength?: number | undefined;
  /** Pieces to begin with at most; default 1,000,000. */
  seedSize?: number | undefined;
}

/**
 * Learns a Unigram vocabulary as SentencePiece: from all frequent substrings, by expectation maximization, and
 * dropping the pieces that the texts lose least by.
 *
 * @throws TokenizerError where the vocabulary has no room for the characters
 * @see Kudo 2018, https://arxiv.org/abs/1804.10959
 */
export async function trainUnigram(texts: Texts, options: TrainUnigramOptions): Promise<Tokenizer> {
  const { vocabSize, maxPieceLength = 16, seedSize = 1_000_000, onProgress, signal } = options;
  const specialTokens = withUnknown(options.specialTokens ?? [], unknownToken);
  const parts = { normalizer: null, preTokenizer: metaspace, ...options };
  const words = await countWords(texts, parts, signal);
  const alphabet = alphabetOf(words.counts);
  checkVocabSize(
    vocabSize,
    specialTokens.length + alphabet.length,
    `${specialTokens.length} special tokens and ${alphabet.length} characters`,
  );
  const room = vocabSize - specialTokens.length;
  const { pieces, weights } = seedPieces(words, { maxLength: maxPieceLength, limit: seedSize });
  const lattice = new PieceLattice(pieces);
  const logTotal = Math.log(weights.reduce((sum, weight) => sum + weight, 0));
  weights.forEach((weight, id) => {
    lattice.scores[id] = Math.log(weight) - logTotal;
  });
  lattice.update();
  const corpus = [...words.counts].map(([word, count]) => ({ units: stringToUnits(word), count }));
  const wanted = Math.floor(vocabSize * 1.1);
  let left = pieces.length;
  for (;;) {
    for (let round = 0; round < roundsBetweenPrunings; round++) {
      signal?.throwIfAborted();
      left = maximize(lattice, corpus);
    }
    onProgress?.(pieces.length - left, pieces.length - wanted);
    if (left <= wanted) break;
    const kept = prune(lattice, pieces, corpus, Math.max(wanted, Math.floor(left * shrinking)));
    // A step of a few pieces at a time would never end.
    if (kept === left) break;
    left = kept;
  }
  const vocab = finalPieces(lattice, pieces, alphabet, room);
  return Tokenizer.fromJSON({
    ...emptyFrame(),
    normalizer: parts.normalizer,
    pre_tokenizer: parts.preTokenizer,
    decoder: parts.preTokenizer === metaspace ? metaspace : { type: 'Fuse' },
    added_tokens: specialTokens.map(specialTokenJson),
    model: {
      type: 'Unigram',
      unk_id: specialTokens.indexOf(unknownToken),
      byte_fallback: false,
      vocab: [...specialTokens.map((token) => [token, 0]), ...vocab],
    },
  });
}

/** One round of expectation and maximization; gives how many pieces are left. */
function maximize(lattice: PieceLattice, corpus: readonly CountedWord[]): number {
  const expected = new Float64Array(lattice.scores.length);
  for (const { units, count } of corpus) lattice.addExpected(units, count, expected);
  let total = 0;
  let left = 0;
  for (const [id, score] of lattice.scores.entries()) {
    if (score === Number.NEGATIVE_INFINITY || expected[id]! < leastExpected) continue;
    total += expected[id]!;
    left++;
  }
  const logTotal = digamma(total);
  for (const [id, frequency] of expected.entries()) {
    // The digamma function makes frequent pieces likelier than they are: a sparse prior.
    lattice.scores[id] =
      frequency < leastExpected ? Number.NEGATIVE_INFINITY : digamma(frequency) - logTotal;
  }
  lattice.update();
  return left;
}

/** All characters and the likeliest pieces, those first. */
function finalPieces(
  lattice: PieceLattice,
  pieces: readonly string[],
  alphabet: readonly string[],
  room: number,
): [piece: string, score: number][] {
  const alive = pieces
    .map((piece, id): [string, number] => [piece, lattice.scores[id]!])
    .filter(([, score]) => score > Number.NEGATIVE_INFINITY)
    .sort((a, b) => b[1] - a[1]);
  const scores = new Map(alive);
  const least = alive.at(-1)?.[1] ?? 0;
  let penalty = 0;
  const chosen = new Map<string, number>();
  for (const char of alphabet) {
    const score = scores.get(char);
    chosen.set(char, score ?? least + penalty);
    if (score === undefined) penalty += 0.0001;
  }
  for (const [piece, score] of alive) {
    if (chosen.size >= room) break;
    if (!chosen.has(piece)) chosen.set(piece, score);
  }
  return [...chosen].sort((a, b) => b[1] - a[1]);
}

/** The derivative of the logarithm of the gamma function. */
function digamma(value: number): number {
  let x = value;
  let result = 0;
  for (; x < 7; x++) result -= 1 / x;
  x -= 0.5;
  const square = 1 / (x * x);
  const fourth = square * square;
  return (
    result +
    Math.log(x) +
    (1 / 24) * square -
    (7 / 960) * fourth +
    (31 / 8064) * fourth * square -
    (127 / 30720) * fourth * fourth
  );
}
