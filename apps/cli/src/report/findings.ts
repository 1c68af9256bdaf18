import { InputError, type LanguageModel, readTensor } from '@headwise/core';
import {
  type AttentionMap,
  attentionMaps,
  capture,
  type HeadScores,
  headScores,
  type LensLayer,
  logitLens,
} from '@headwise/inspect';
import * as tf from '@tensorflow/tfjs';

/** How a model expected a token of a text, from what comes before it. */
export interface Expectation {
  readonly probability: number;
  /** 1 where no token was likelier. */
  readonly rank: number;
}

/** What a report shows of a model and a text. */
export interface Findings {
  readonly ids: readonly number[];
  /** One a layer. */
  readonly maps: readonly AttentionMap[];
  readonly scores: readonly HeadScores[];
  readonly lens: readonly LensLayer[];
  /** One a token but the first, which nothing comes before. */
  readonly expectations: readonly Expectation[];
}

/** The longest text that a page can show: its size grows with the square of the tokens. */
const mostTokens = 256;

/**
 * Looks into a model while it reads a text.
 *
 * @throws InputError for a text of no token, or of more than the model or a page can hold
 */
export async function findingsOf(
  network: LanguageModel,
  ids: readonly number[],
): Promise<Findings> {
  const most = Math.min(mostTokens, network.maxLength);
  if (ids.length === 0 || ids.length > most) {
    const why = most === mostTokens ? 'a report shows' : "the model's context holds";
    throw new InputError(`the text has ${ids.length} tokens; ${why} 1 to ${most}`);
  }
  const input = tf.tensor2d([...ids], [1, ids.length], 'int32');
  try {
    const maps = await attentionMaps(network, input);
    return {
      ids,
      maps,
      scores: headScores(maps, ids),
      lens: await logitLens(network, input),
      expectations: await expectationsOf(network, input, ids),
    };
  } finally {
    input.dispose();
  }
}

async function expectationsOf(
  network: LanguageModel,
  input: tf.Tensor,
  ids: readonly number[],
): Promise<Expectation[]> {
  const captured = capture(network, input, []);
  const all = tf.tidy(() => tf.softmax(captured.output));
  captured.dispose();
  const values = (await readTensor(all)) as Float32Array;
  all.dispose();
  return ids.slice(1).map((id, t) => {
    const row = values.subarray(t * network.vocabSize, (t + 1) * network.vocabSize);
    const probability = row[id]!;
    return { probability, rank: 1 + row.reduce((n, p) => (p > probability ? n + 1 : n), 0) };
  });
}
