import { DataError } from './errors.js';
import { checkProbability } from './mask-tokens.js';
import { type SequencePairs, sequencePairs } from './pairs.js';
import { shuffle } from './random.js';

export interface CorruptSpansOptions {
  /** The id that stands for the first span; the `n`-th has the `n`-th id below it, as T5's `<extra_id_0>` and so on. */
  firstSentinel: number;
  /** Ends sources and targets. */
  endId: number;
  /** The id of padding in sources; default 0. */
  padId?: number | undefined;
  /** The share of tokens that are left out; default 0.15. */
  density?: number | undefined;
  /** The mean length of a span in tokens; default 3. */
  meanLength?: number | undefined;
}

/**
 * Replaces spans of tokens by sentinels, and asks for what they were: T5's span corruption.
 *
 * `a b c d e f` becomes the source `a ⟨0⟩ d e ⟨1⟩ /` and the target `⟨0⟩ b c ⟨1⟩ f /`. The lengths of the spans are random partitions, as in
 * T5's `random_spans_noise_mask`.
 *
 * @throws DataError for a row of fewer than two tokens, and where there are more spans than ids for them
 * @see Raffel et al. 2020, https://arxiv.org/abs/1910.10683
 */
export function corruptSpans(
  options: CorruptSpansOptions,
): (examples: readonly { readonly ids: ArrayLike<number> }[], next: () => number) => SequencePairs {
  const { density = 0.15, meanLength = 3 } = options;
  checkProbability('density', density);
  if (!(meanLength >= 1)) throw new DataError(`meanLength is ${meanLength}, expected at least 1`);
  const pad = sequencePairs({ padId: options.padId });
  return (examples, next) =>
    pad(
      examples.map(({ ids }) => {
        const noise = noiseMask(ids.length, { density, meanLength }, next);
        return withSentinels(ids, noise, options);
      }),
    );
}

/**
 * Which tokens are left out: spans of them alternate with spans that stay, which come first.
 *
 * @returns `[length]`, true for a token that is left out
 */
export function noiseMask(
  length: number,
  { density, meanLength }: { density: number; meanLength: number },
  next: () => number,
): boolean[] {
  if (length < 2) throw new DataError(`a row has ${length} tokens, expected at least 2 to corrupt`);
  const rounded = roundHalfEven(length * density);
  const noise = Math.min(Math.max(rounded, 1), length - 1);
  const kept = length - noise;
  const spans = Math.max(1, roundHalfEven(Math.min(noise, kept) / meanLength));
  const noiseLengths = randomPartition(noise, spans, next);
  const keptLengths = randomPartition(kept, spans, next);
  return keptLengths.flatMap((stay, n) => [
    ...new Array<boolean>(stay).fill(false),
    ...new Array<boolean>(noiseLengths[n]!).fill(true),
  ]);
}

/** A source and a target from a row and what is left out of it. */
export function withSentinels(
  ids: ArrayLike<number>,
  noise: readonly boolean[],
  { firstSentinel, endId }: Pick<CorruptSpansOptions, 'firstSentinel' | 'endId'>,
): { source: number[]; target: number[] } {
  const [source, target]: [number[], number[]] = [[], []];
  let spans = 0;
  for (const [i, left] of noise.entries()) {
    if (left && !noise[i - 1]) {
      const sentinel = firstSentinel - spans++;
      if (sentinel < 0) {
        throw new DataError(
          `a row has more than ${spans - 1} spans, expected no more than ids from firstSentinel ${firstSentinel} down to 0`,
        );
      }
      source.push(sentinel);
      target.push(sentinel);
    }
    (left ? target : source).push(ids[i]!);
  }
  return { source: [...source, endId], target: [...target, endId] };
}

/** The lengths of `parts` parts of `count` things, every partition into parts of at least one equally likely. */
function randomPartition(count: number, parts: number, next: () => number): number[] {
  const starts = Array.from({ length: count - 1 }, (_, i) => Number(i < parts - 1));
  shuffle(starts, next);
  const lengths = [1];
  for (const start of starts) {
    if (start) lengths.push(1);
    else lengths[lengths.length - 1]!++;
  }
  return lengths;
}

/** NumPy's rounding, which takes halves to the even number. */
function roundHalfEven(x: number): number {
  const rounded = Math.round(x);
  return Math.abs(x % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
