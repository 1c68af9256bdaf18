import type { TextOptions } from '@headwise/text';
import type { PromptModel } from '../prompt-model.js';

/** What models write at most where nothing says otherwise. */
const defaultAnswerTokens = 64;

/**
 * The tokens of the context that a prompt leaves for its answer: `maxNewTokens`, or what the model writes without it, of that at most half of
 * the context.
 */
export function answerTokens(
  { contextLength, answerTokens: own = defaultAnswerTokens }: PromptModel,
  { maxNewTokens, maxLength }: TextOptions,
): number {
  if (maxNewTokens !== undefined) return Math.max(0, maxNewTokens);
  // The prompt counts to it: what it leaves is the answer.
  if (maxLength !== undefined) return 1;
  return Math.min(own, Math.floor(contextLength / 2));
}
