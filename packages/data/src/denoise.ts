import { checkWhole, DataError } from './errors.js';
import { checkProbability } from './mask-tokens.js';
import { type SequencePairs, sequencePairs } from './pairs.js';
import { below, fraction, shuffle } from './random.js';

/** Corrupts the token ids of a document; what is random in it depends on `next` alone. */
export type Noise = (ids: readonly number[], next: () => number) => number[];

/**
 * Text infilling: spans of tokens, of Poisson lengths, become one mask each; a span of length 0 inserts a mask.
 *
 * Lengths are drawn until `⌈share · n⌉` tokens are covered, the last one cut to fit; spans and remaining tokens are then in a random order of spans
 * among tokens, every order equally likely.
 *
 * @param options `share` of the tokens that are covered, default 0.3; `meanLength` of a span, default 3
 * @throws DataError for a share that is not a probability, and a mean length outside (0, 100]
 * @see Lewis et al. 2020, section 2.2, https://arxiv.org/abs/1910.13461
 */
export function infillText({
  maskId,
  share = 0.3,
  meanLength = 3,
}: {
  maskId: number;
  share?: number | undefined;
  meanLength?: number | undefined;
}): Noise {
  checkWhole('maskId', maskId, 0);
  checkProbability('share', share);
  if (!(meanLength > 0 && meanLength <= 100)) {
    throw new DataError(`meanLength is ${meanLength}, expected a number above 0, at most 100`);
  }
  return (ids, next) => {
    const covered = Math.ceil(ids.length * share);
    const lengths: number[] = [];
    for (let left = covered; left > 0; left -= lengths.at(-1)!) {
      lengths.push(Math.min(left, poisson(meanLength, next)));
    }
    const places = Array.from({ length: ids.length - covered + lengths.length }, (_, i) =>
      Number(i < lengths.length),
    );
    shuffle(places, next);
    const noised: number[] = [];
    let [read, span] = [0, 0];
    for (const masked of places) {
      noised.push(masked ? maskId : ids[read]!);
      read += masked ? lengths[span++]! : 1;
    }
    return noised;
  };
}

/**
 * Sentence permutation: the sentences of a document in a random order, every order equally likely.
 *
 * @param ends whether a token ends a sentence, such as a full stop; a run of them ends one
 * @see Lewis et al. 2020, section 2.2, https://arxiv.org/abs/1910.13461
 */
export function permuteSentences(ends: (id: number) => boolean): Noise {
  return (ids, next) => {
    const sentences: number[][] = [[]];
    for (const [i, id] of ids.entries()) {
      sentences.at(-1)!.push(id);
      const following = ids[i + 1];
      if (following !== undefined && ends(id) && !ends(following)) sentences.push([]);
    }
    const order = Array.from(sentences, (_, n) => n);
    shuffle(order, next);
    return order.flatMap((n) => sentences[n]!);
  };
}

/**
 * Token deletion: each token is left out with the same probability, and the model has to tell where.
 *
 * @param share the probability; default 0.15
 * @throws DataError for a share that is not a probability
 * @see Lewis et al. 2020, section 2.2, https://arxiv.org/abs/1910.13461
 */
export function deleteTokens(share = 0.15): Noise {
  checkProbability('share', share);
  return (ids, next) => ids.filter(() => fraction(next) >= share);
}

/**
 * Token masking: each token becomes the mask with the same probability.
 *
 * @param options `share` is the probability; default 0.15
 * @throws DataError for a share that is not a probability
 * @see Lewis et al. 2020, section 2.2, https://arxiv.org/abs/1910.13461
 */
export function hideTokens({
  maskId,
  share = 0.15,
}: {
  maskId: number;
  share?: number | undefined;
}): Noise {
  checkWhole('maskId', maskId, 0);
  checkProbability('share', share);
  return (ids, next) => ids.map((id) => (fraction(next) < share ? maskId : id));
}

/**
 * Document rotation: the document begins at a token chosen at random, and goes on with its beginning after its end.
 *
 * @see Lewis et al. 2020, section 2.2, https://arxiv.org/abs/1910.13461
 */
export const rotateDocument: Noise = (ids, next) => {
  if (ids.length === 0) return [];
  const start = below(ids.length, next);
  return [...ids.slice(start), ...ids.slice(0, start)];
};

export interface DenoisingOptions {
  /** What is done to each document, in this order; BART's are `permuteSentences` and `infillText`. */
  noises: readonly Noise[];
  /** Begins sources and targets, as BART's `<s>`; default nothing. */
  firstId?: number | undefined;
  /** Ends sources and targets. */
  endId: number;
  /** The id of padding in sources; default 0. */
  padId?: number | undefined;
  /** The most tokens of a source and of a target, `firstId` and `endId` included; default any. */
  length?: number | undefined;
}

/**
 * Corrupted documents and what they were: BART's denoising for encoder-decoders.
 *
 * @throws DataError without noises, and naming a document that is empty or longer than `length`
 * @see Lewis et al. 2020, https://arxiv.org/abs/1910.13461
 */
export function denoising({
  noises,
  firstId,
  endId,
  padId,
  length = Number.POSITIVE_INFINITY,
}: DenoisingOptions): (
  examples: readonly { readonly ids: ArrayLike<number> }[],
  next: () => number,
) => SequencePairs {
  if (noises.length === 0) throw new DataError('noises is empty, expected at least one');
  const pad = sequencePairs({ padId });
  const whole = (ids: readonly number[]) => [
    ...(firstId === undefined ? [] : [firstId]),
    ...ids,
    endId,
  ];
  return (examples, next) =>
    pad(
      examples.map(({ ids }, n) => {
        const original = Array.from(ids);
        const source = whole(noises.reduce((given, noise) => noise(given, next), original));
        const target = whole(original);
        const longest = Math.max(source.length, target.length);
        if (original.length === 0 || longest > length) {
          throw new DataError(
            `document ${n} of a batch has ${original.length} tokens, ${longest} of its source or target; expected at least 1, and at most ${length}`,
          );
        }
        return { source, target };
      }),
    );
}

/** A Poisson number: uniform numbers are multiplied until they fall below `e^−mean`. */
function poisson(mean: number, next: () => number): number {
  const least = Math.exp(-mean);
  let count = 0;
  for (let product = fraction(next); product > least; product *= fraction(next)) count++;
  return count;
}
