import {
  type EncoderDecoderModel,
  InputError,
  isEncoderDecoder,
  type LanguageModel,
} from '@headwise/core';
import { checkIdValues, vocabularyOf } from '@headwise/kernels/internal';
import type { GenerateOptions } from './options.js';

/** What a prompt is checked against: the vocabulary of the side that reads it, and the context. */
export type PromptLimits = Pick<LanguageModel, 'vocabSize' | 'maxLength'> &
  Pick<EncoderDecoderModel, 'sourceVocabSize'>;

/**
 * Throws unless a prompt's length and ids are valid for a model.
 *
 * @throws InputError naming the first id outside the vocabulary, or both lengths
 */
export function checkPrompt(
  network: PromptLimits,
  prompt: readonly number[],
  name = 'the prompt',
): void {
  const { vocabSize, sourceVocabSize = vocabSize, maxLength } = network;
  if (prompt.length === 0) throw new InputError(`${name} is empty; expected at least one token`);
  if (sourceVocabSize === 0) {
    throw new InputError(
      `${name} has ids, and the model's encoder reads pictures, sounds or states; expected the numbers of encodedSources(network, encoded)`,
    );
  }
  if (prompt.length > maxLength) {
    throw new InputError(
      `${name} has ${prompt.length} tokens; the model's context holds ${maxLength}`,
    );
  }
  checkIdValues(prompt, vocabularyOf(sourceVocabSize));
}

/**
 * What new tokens follow: a decoder's prompt, or what the output of an encoder-decoder begins with.
 *
 * @throws InputError for a start that is empty, too long or outside the vocabulary
 */
export function startOf(
  network: LanguageModel | EncoderDecoderModel,
  prompt: readonly number[],
  { startIds }: Pick<GenerateOptions, 'startIds'>,
): readonly number[] {
  if (!isEncoderDecoder(network)) return prompt;
  if (startIds === undefined) return [network.startId];
  const { vocabSize, maxLength } = network;
  checkPrompt({ vocabSize, maxLength }, startIds, 'startIds');
  return [...startIds];
}
