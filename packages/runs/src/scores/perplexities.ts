import { type LanguageModel, readTensor } from '@headwise/core';
import { lengthGroups } from '@headwise/core/internal';
import { padRows } from '@headwise/data';
import { ignoredTarget, tokenLogProbabilities } from '@headwise/training';
import * as tf from '@tensorflow/tfjs';

/** Scores of a pass at most: 256 MiB of them. */
const scoresAtOnce = 2 ** 26;

/** Tokens of a window of a model whose context has no limit. */
const unlimitedWindow = 1024;

/**
 * The perplexity of each sequence under a language model: `exp(−(1/n) Σ ln p(tᵢ | tokens before))` over its `n` tokens but the first.
 *
 * A sequence longer than the context is read in windows that begin where the one before ended: each token but the first is predicted once, from
 * at most a context of tokens before it.
 *
 * @param sequences token ids
 * @returns undefined for a sequence of fewer than two tokens, of which nothing is predicted
 * @throws InputError naming the first id outside the vocabulary
 */
export async function perplexities(
  network: LanguageModel,
  sequences: readonly (readonly number[])[],
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<(number | undefined)[]> {
  const context = Number.isFinite(network.maxLength) ? network.maxLength : unlimitedWindow;
  const windows = sequences.flatMap((ids, sequence) =>
    Array.from({ length: Math.ceil((ids.length - 1) / context) }, (_, i) => ({
      sequence,
      ids: ids.slice(i * context, (i + 1) * context + 1),
    })),
  );
  const sums = sequences.map(() => 0);
  const lengthOf = (n: number) => windows[n]!.ids.length - 1;
  const tokensAtOnce = Math.max(1, Math.floor(scoresAtOnce / network.vocabSize));
  for (const group of lengthGroups(windows.keys(), lengthOf, tokensAtOnce)) {
    signal?.throwIfAborted();
    const rows = group.map((n) => windows[n]!.ids);
    const { ids: inputs, shape } = padRows(rows.map((ids) => ids.slice(0, -1)));
    const { ids: targets } = padRows(
      rows.map((ids) => ids.slice(1)),
      { padId: ignoredTarget },
    );
    // Padding stands behind, where a causal model's scores of the tokens before do not depend on it.
    const totals = tf.tidy(() => tokenLogProbabilities(network, { inputs, targets, shape }).sum(1));
    const values = await readTensor(totals);
    totals.dispose();
    for (const [row, n] of group.entries()) sums[windows[n]!.sequence]! += values[row]!;
  }
  return sequences.map(({ length }, n) =>
    length < 2 ? undefined : Math.exp(-sums[n]! / (length - 1)),
  );
}
