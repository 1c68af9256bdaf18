import { InputError } from '@headwise/core';
import type { Drafter, Speculation } from './speculation.js';

export interface PromptLookupOptions {
  /** The most tokens at the end of the sequence that are looked for; default 3. */
  maxNgram?: number | undefined;
  /** The least tokens that are looked for; default 2. */
  minNgram?: number | undefined;
  /** The most tokens of a draft; default as many as are checked at once, up to 7. */
  maxTokens?: number | undefined;
}

/**
 * Drafts by n-grams: finds the latest earlier place of the sequence's last tokens, and proposes what followed there. It needs no
 * second model, and helps where the output repeats its prompt: summaries, code, answers from a text.
 *
 * @throws InputError unless 1 ≤ minNgram ≤ maxNgram, and 1 ≤ maxTokens
 * @see Saxena 2023, https://github.com/apoorvumang/prompt-lookup-decoding
 * @example
 * for await (const id of generate(network, prompt, { speculation: promptLookup() })) ids.push(id);
 */
export function promptLookup({
  maxNgram = 3,
  minNgram = Math.min(2, maxNgram),
  maxTokens = Number.POSITIVE_INFINITY,
}: PromptLookupOptions = {}): Speculation {
  if (!(maxTokens >= 1)) {
    throw new InputError(`promptLookup: maxTokens is ${maxTokens}; expected at least 1`);
  }
  if (!(Number.isSafeInteger(minNgram) && Number.isSafeInteger(maxNgram) && minNgram >= 1)) {
    throw new InputError(
      `promptLookup: n-grams of ${minNgram} to ${maxNgram} tokens; expected whole numbers of at least 1`,
    );
  }
  if (minNgram > maxNgram) {
    throw new InputError(
      `promptLookup: minNgram is ${minNgram}, above maxNgram, ${maxNgram}; expected at most that`,
    );
  }
  return {
    start: (): Drafter => ({
      draft: (sequence, most) =>
        continuationOf(sequence, maxNgram, minNgram, Math.min(most, maxTokens)),
      dispose: () => {},
    }),
  };
}

/** What followed the longest end of a sequence that occurs earlier, where it occurs last. */
function continuationOf(
  sequence: readonly number[],
  maxNgram: number,
  minNgram: number,
  most: number,
): readonly number[] {
  let best = { size: minNgram - 1, end: 0 };
  for (let end = sequence.length - 1; end >= minNgram && best.size < maxNgram; end--) {
    const size = commonEnd(sequence, end, maxNgram);
    if (size > best.size) best = { size, end };
  }
  return best.size < minNgram ? [] : sequence.slice(best.end, best.end + most);
}

/** How many tokens before a place are those at the end of the sequence. */
function commonEnd(sequence: readonly number[], end: number, most: number): number {
  let size = 0;
  while (size < most && size < end && sequence[end - 1 - size] === sequence.at(-1 - size)) size++;
  return size;
}
