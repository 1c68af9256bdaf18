import { InputError, type LanguageModel, readTensor } from '@headwise/core';
import { languageModelLoss, predictedTokens, type TokenBatch } from './loss.js';
import { DivergedError } from './train.js';

/** How well a model predicts a text. */
export interface Evaluation {
  /** Mean negative log-likelihood, nats a token. */
  loss: number;
  /** `exp(loss)` */
  perplexity: number;
  /** The number of tokens predicted. */
  tokens: number;
}

export interface EvaluateOptions {
  /** Ends the evaluation before the next batch, with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * The mean loss over batches, per token.
 *
 * @throws InputError without batches; DivergedError where the loss of one is not finite
 */
export async function evaluate(
  network: LanguageModel,
  batches: Iterable<TokenBatch>,
  { signal }: EvaluateOptions = {},
): Promise<Evaluation> {
  let sum = 0;
  let tokens = 0;
  let number = 0;
  for (const batch of batches) {
    signal?.throwIfAborted();
    const loss = languageModelLoss(network, batch);
    const [value] = await readTensor(loss);
    loss.dispose();
    if (!Number.isFinite(value)) {
      throw new DivergedError(
        `the loss of batch ${number} is ${value}: the scores of the model are not finite, or too large for 32 bits`,
      );
    }
    number++;
    const predicted = predictedTokens(batch);
    sum += value! * predicted;
    tokens += predicted;
  }
  if (tokens === 0) throw new InputError('evaluate: there is no batch to evaluate');
  return { loss: sum / tokens, perplexity: Math.exp(sum / tokens), tokens };
}

/**
 * Bits per byte of a text: `loss · tokens / (bytes · ln 2)`.
 *
 * Unlike perplexity it compares models of different tokenizers.
 *
 * @param bytes the UTF-8 length of the text that the tokens stand for
 */
export function bitsPerByte({ loss, tokens }: Evaluation, bytes: number): number {
  return (loss * tokens) / (bytes * Math.LN2);
}
