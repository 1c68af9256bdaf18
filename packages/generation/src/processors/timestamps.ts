import type { LogitsProcessor } from './own.js';

/** Of a model that writes when its words were said, as Whisper does: `<|0.00|> words <|2.40|><|2.40|> more <|4.80|>`. */
export interface TimestampRules {
  /** The number of `startIds`, which new tokens follow. */
  readonly begin: number;
  /** The id that promises a text without timestamps; those above it are timestamps, in their order. */
  readonly noTimestampsId: number;
  /** The id that ends a text; those below it are words. */
  readonly endId: number;
  /** The last timestamp that may come first, counted from 0; default any. */
  readonly latestFirst?: number | undefined;
  /** Ids that are never drawn. They are given here, as the rules count what remains. */
  readonly suppressIds?: readonly number[] | undefined;
  /** Ids that are not drawn as the first new token. */
  readonly beginSuppressIds?: readonly number[] | undefined;
}

/**
 * The rules of Whisper's timestamps: one comes first; they come in pairs except before the end; none is before the last; and where
 * all of them together are likelier than each other token, one is drawn.
 *
 * Where it processes scores, they are read: a token costs `8 V` bytes.
 *
 * @see Radford et al. 2022, §2.3, https://arxiv.org/abs/2212.04356
 * @example
 * const rules = timestampRules({ begin: startIds.length, noTimestampsId: 50363, endId: 50257, latestFirst: 50 });
 * const batch = await generateBatch(network, prompts, { startIds, processors: [rules] });
 */
export function timestampRules(rules: TimestampRules): LogitsProcessor {
  const { begin, noTimestampsId, endId, latestFirst } = rules;
  const { suppressIds = [], beginSuppressIds = [] } = rules;
  const first = noTimestampsId + 1;
  const never = Number.NEGATIVE_INFINITY;
  return {
    host(scores, sequence) {
      const made = sequence.slice(begin);
      for (const id of suppressIds) scores[id] = never;
      if (made.length === 0) for (const id of beginSuppressIds) scores[id] = never;
      scores[noTimestampsId] = never;
      const isTime = (id: number | undefined) => id !== undefined && id >= first;
      const after = isTime(made.at(-1));
      const paired = made.length < 2 || isTime(made.at(-2));
      if (after && paired) scores.fill(never, first);
      else if (after) scores.fill(never, 0, endId);
      const last = made.findLast(isTime);
      // The second of a pair may repeat the first; a new pair begins later.
      if (last !== undefined) scores.fill(never, first, after && !paired ? last : last + 1);
      if (made.length === 0) {
        scores.fill(never, 0, first);
        if (latestFirst !== undefined) scores.fill(never, first + latestFirst + 1);
      }
      const words = scores.subarray(0, first);
      if (logSumExp(scores.subarray(first)) > largest(words)) words.fill(never);
    },
  };
}

const largest = (values: Float32Array): number =>
  values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);

function logSumExp(values: Float32Array): number {
  const most = largest(values);
  if (most === Number.NEGATIVE_INFINITY) return most;
  return most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0));
}
