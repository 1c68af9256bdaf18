import { InputError, type LanguageModel } from '@headwise/core';
import { type ScoreOptions, scoreBatch } from './score.js';

export interface PerplexityOptions extends Pick<ScoreOptions, 'signal'> {
  /** The tokens of a window: what the model sees at once. Default its context, or 2,048 where it has no bound. */
  maxLength?: number | undefined;
  /** Tokens from the beginning of a window to that of the next; default half a window. */
  stride?: number | undefined;
}

export interface Perplexity {
  /** `exp(−(1/N) Σ log p(token | the tokens before it in its window))` */
  readonly perplexity: number;
  /** `Σ log p`, natural logarithms. */
  readonly logProbability: number;
  /** `N`, the tokens that were scored: all but the first. */
  readonly tokens: number;
}

/** The window of a model whose sequences have no greatest length. */
const defaultWindow = 2048;

/** Windows that are scored before the next ones are made. */
const windowsAtOnce = 8;

/**
 * The perplexity of a text of any length, in windows that overlap.
 *
 * A window begins `stride` tokens after the one before. Its tokens that no window scored before are scored; the others are
 * their context, so that each has at least `maxLength − stride` tokens before it, but in the first window. Where windows do
 * not overlap, the first token of each has no context and is not scored.
 *
 * @param ids at least two tokens
 * @throws InputError for options out of range, and as `score` does
 * @see https://huggingface.co/docs/transformers/perplexity, whose example counts the mean of each window one token short
 */
export async function perplexity(
  network: LanguageModel,
  ids: readonly number[],
  { maxLength, stride, signal }: PerplexityOptions = {},
): Promise<Perplexity> {
  const context = network.maxLength;
  const window = maxLength ?? (Number.isFinite(context) ? context : defaultWindow);
  checkCount('maxLength', window, 2, context);
  const step = stride ?? window >> 1;
  checkCount('stride', step, 1, window);
  if (ids.length < 2) {
    throw new InputError(`perplexity: ${ids.length} tokens; expected at least 2`);
  }
  const windows = windowsOf(ids.length, window, step);
  let [logProbability, tokens] = [0, 0];
  for (let at = 0; at < windows.length; at += windowsAtOnce) {
    const pairs = windows.slice(at, at + windowsAtOnce).map(({ begin, scored, end }) => ({
      prompt: ids.slice(begin, scored),
      completion: ids.slice(scored, end),
    }));
    for (const { tokens: own, logProbability: sum } of await scoreBatch(network, pairs, {
      signal,
    })) {
      logProbability += sum;
      tokens += own.length;
    }
  }
  return { perplexity: Math.exp(-logProbability / tokens), logProbability, tokens };
}

/** Windows of a text: their ends, and the first token that each scores. */
function windowsOf(length: number, window: number, stride: number) {
  const windows: { begin: number; scored: number; end: number }[] = [];
  for (let [begin, seen] = [0, 0]; seen < length; begin += stride) {
    const end = Math.min(begin + window, length);
    const scored = Math.max(begin + 1, seen);
    if (scored < end) windows.push({ begin, scored, end });
    seen = end;
  }
  return windows;
}

function checkCount(name: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new InputError(
    `perplexity: ${name} is ${value}; expected a whole number from ${least} to ${most}`,
  );
}
