import { type EncodedText, padRows } from './collate.js';
import { checkWhole, DataError } from './errors.js';
import { below, fraction } from './random.js';

/** Inputs with masked tokens, and what those were: what a masked language model is trained on. */
export interface MaskedBatch {
  /** `[B, T]` */
  readonly inputs: Int32Array;
  /** `[B, T]`, 1 where there is a token, 0 at padding. */
  readonly mask: Int32Array;
  /** `[B, T]`, the segment of each token. */
  readonly tokenTypes: Int32Array;
  /** `[B, T]`, what each chosen token was, −100 elsewhere. */
  readonly targets: Int32Array;
  readonly shape: readonly [batch: number, tokens: number];
}

export interface MaskTokensOptions {
  /** `V`: random tokens are drawn below it. */
  vocabSize: number;
  /** The id of `[MASK]`. */
  maskId: number;
  /** The id of padding; default 0. */
  padId?: number | undefined;
  /** `T`; default the length of the longest row of each batch. */
  length?: number | undefined;
  /** The share of tokens that are predicted, above 0; default 0.15. */
  share?: number | undefined;
  /** The share of chosen tokens that become `[MASK]`; default 0.8. */
  masked?: number | undefined;
  /** The share of chosen tokens that become a random token; default 0.1. The others stay as they are. */
  random?: number | undefined;
  /**
   * What is chosen at once: a `token` (default), a `word` with all of its tokens, by `wordIds`, or a `span` of adjacent
   * words, whose tokens are replaced in one way.
   */
  unit?: MaskingUnit | undefined;
}

/** What is masked at once. */
export type MaskingUnit = 'token' | 'word' | 'span';

/** SpanBERT's lengths of spans in words: geometric with this parameter, cut off at the longest. */
const spans = { stop: 0.2, longest: 10 };

/**
 * Chooses tokens to predict and hides them: BERT's 80 % `[MASK]`, 10 % a random token, 10 % unchanged.
 *
 * Tokens and words are chosen independently, with the distribution of Hugging Face's `DataCollatorForLanguageModeling` given that each row has
 * at least one: of `n`, the first is the `i`-th with probability `(1 − p)^(i−1) p / (1 − (1 − p)^n)`, and each after it is chosen with `p`. That
 * collator replaces chosen words by `[MASK]` alone (`masked: 1, random: 0`). Spans are drawn until `max(1, round(p n))` of a row's `n`
 * tokens are chosen.
 *
 * @throws DataError where shares are not probabilities, for words of encodings without `wordIds`, and for a row of special tokens alone
 * @see Devlin et al. 2019, https://arxiv.org/abs/1810.04805; Joshi et al. 2020 (spans), https://arxiv.org/abs/1907.10529
 */
export function maskTokens(
  options: MaskTokensOptions,
): (examples: readonly EncodedText[], next: () => number) => MaskedBatch {
  const { vocabSize, maskId, share = 0.15, masked = 0.8, random = 0.1, unit = 'token' } = options;
  checkWhole('vocabSize', vocabSize, 1);
  checkProbability('share', share);
  if (share === 0)
    throw new DataError('share is 0, expected more: each row has a token to predict');
  checkProbability('masked', masked);
  checkProbability('random', random);
  checkProbability('masked + random', masked + random);
  return (examples, next) => {
    const { ids, mask, shape } = padRows(
      examples.map(({ ids }) => ids),
      options,
    );
    const inputs = ids.slice();
    const targets = new Int32Array(ids.length).fill(-100);
    const tokenTypes = new Int32Array(ids.length);
    for (const [row, example] of examples.entries()) {
      const first = row * shape[1];
      if (example.typeIds) tokenTypes.set(example.typeIds, first);
      const units = unit === 'token' ? tokensOf(example) : wordsOf(example);
      if (units.length === 0) {
        throw new DataError(
          `row ${row} of a batch has ${example.ids.length} special tokens and no others, expected at least one to predict`,
        );
      }
      const groups =
        unit === 'span' ? chooseSpans(units, share, next) : chooseUnits(units, share, next);
      for (const group of groups) {
        let drawn = 0;
        for (const [n, i] of group.entries()) {
          if (n === 0 || unit !== 'span') drawn = fraction(next);
          targets[first + i] = ids[first + i]!;
          if (drawn < masked) inputs[first + i] = maskId;
          else if (drawn < masked + random) inputs[first + i] = below(vocabSize, next);
        }
      }
    }
    return { inputs, mask, tokenTypes, targets, shape };
  };
}

/** Units that are chosen independently, given that at least one is. */
function chooseUnits(units: readonly number[][], share: number, next: () => number): number[][] {
  const chosen: number[][] = [];
  for (const [n, places] of units.entries()) {
    // Where none is chosen before, one of the `m` that are left has to be: 1 − (1 − p)^m is the probability that one is.
    const some = chosen.length > 0 ? 1 : -Math.expm1((units.length - n) * Math.log1p(-share));
    if (fraction(next) < share / some) chosen.push(places);
  }
  return chosen;
}

/** Spans of adjacent words, drawn until they hold their share of the tokens. */
function chooseSpans(units: readonly number[][], share: number, next: () => number): number[][] {
  const tokens = units.reduce((sum, { length }) => sum + length, 0);
  const wanted = Math.max(1, Math.round(tokens * share));
  const free = new Set(units.keys());
  const groups: number[][] = [];
  for (let chosen = 0; chosen < wanted; ) {
    let length = 1;
    while (length < spans.longest && fraction(next) >= spans.stop) length++;
    const starts = [...free];
    const span: number[] = [];
    for (let word = starts[below(starts.length, next)]!; free.has(word) && length > 0; word++) {
      const places = units[word]!;
      // A whole word may bring the row over its share; a further one may not.
      if (span.length > 0 && chosen + places.length > wanted) break;
      span.push(...places);
      free.delete(word);
      chosen += places.length;
      length--;
      if (chosen >= wanted) break;
    }
    groups.push(span);
  }
  return groups;
}

/** The places of the tokens that are not special, each by itself. */
const tokensOf = ({ ids, specialTokensMask }: EncodedText): number[][] =>
  Array.from(ids, (_, i) => [i]).filter(([i]) => !specialTokensMask?.[i!]);

/** The places of each word's tokens, in the order of the text. */
function wordsOf(example: EncodedText): number[][] {
  const { wordIds } = example;
  if (!wordIds) {
    throw new DataError("an encoding has no wordIds, expected them to choose a 'word' or a 'span'");
  }
  const words: number[][] = [];
  let last: number | null = null;
  for (const [i] of tokensOf(example)) {
    const word = wordIds[i!] ?? null;
    if (word !== null && word === last && words.at(-1)!.at(-1) === i! - 1) words.at(-1)!.push(i!);
    else words.push([i!]);
    last = word;
  }
  return words;
}

/** Refuses what is not between 0 and 1. */
export function checkProbability(name: string, value: number): void {
  // A sum of shares may be off by a rounding.
  if (!(value >= 0 && value <= 1 + 1e-9)) {
    throw new DataError(`${name} is ${value}, expected a number from 0 to 1`);
  }
}
