import { checkIdValues, vocabularyOf } from '../ids/space.js';
import type { CheckedSampling } from './options.js';

/** What changes the scores of single tokens of a row; ids are in [0, V), −1 is ignored. */
export interface RowTokens {
  /** The ids that penalties are for. */
  readonly history?: Iterable<number> | undefined;
  /** The ids that `encoderRepetitionPenalty` is for. */
  readonly source?: Iterable<number> | undefined;
  /** The ids that are not drawn. */
  readonly banned?: Iterable<number> | undefined;
  /** Added to the scores, `[V]`. */
  readonly bias?: ArrayLike<number> | undefined;
  /** Bits of the tokens that may be drawn, 32 a word. */
  readonly allowed?: ArrayLike<number> | undefined;
  /** Ids whose finite scores `s` become `s + factor |s|`. */
  readonly raised?: { readonly ids: Iterable<number>; readonly factor: number } | undefined;
}

/** Words of a bitmask with a bit for each token. */
export const maskWords = (vocabulary: number): number => Math.ceil(vocabulary / 32);

/**
 * Biases, penalties, bans and raised scores of a row, in this order, in place.
 *
 * @throws InputError for a penalised id outside the vocabulary
 * @see Keskar et al. 2019 (repetition), https://arxiv.org/abs/1909.05858
 */
export function adjustTokens(
  what: string,
  scores: Float64Array,
  options: CheckedSampling,
  { history = [], source = [], banned = [], bias, allowed, raised }: RowTokens,
): void {
  if (bias) for (let id = 0; id < scores.length; id++) scores[id]! += bias[id]!;
  for (const id of countsOf(`${what}: source: id`, source, scores.length).keys()) {
    scores[id] = repeated(scores[id]!, 1 / options.encoderRepetitionPenalty);
  }
  const { repetitionPenalty, frequencyPenalty, presencePenalty } = options;
  for (const [id, count] of countsOf(`${what}: history: id`, history, scores.length)) {
    const score = repeated(scores[id]!, repetitionPenalty);
    scores[id] = score - frequencyPenalty * count - presencePenalty;
  }
  for (const id of banned) if (id >= 0 && id < scores.length) scores[id] = Number.NEGATIVE_INFINITY;
  for (let id = 0; allowed && id < scores.length; id++) {
    if (((allowed[id >> 5]! >>> (id & 31)) & 1) === 0) scores[id] = Number.NEGATIVE_INFINITY;
  }
  if (!raised) return;
  for (const id of new Set(raised.ids)) {
    const score = scores[id];
    if (score !== undefined && Number.isFinite(score)) {
      scores[id] = score + raised.factor * Math.abs(score);
    }
  }
}

const repeated = (score: number, penalty: number): number =>
  score > 0 ? score / penalty : score * penalty;

function countsOf(what: string, listed: Iterable<number>, vocabulary: number): Map<number, number> {
  const ids = [...listed];
  checkIdValues(ids, vocabularyOf(vocabulary, what, -1));
  const counts = new Map<number, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  counts.delete(-1);
  return counts;
}
