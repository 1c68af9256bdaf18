import { InputError, type LanguageModel } from '@headwise/core';
import { checkIdValues, vocabularyOf } from '@headwise/kernels/internal';

/**
 * Throws unless a prompt's length and ids are valid for a model.
 *
 * @throws InputError naming the first id outside the vocabulary, or both lengths
 */
export function checkPrompt(
  network: Pick<LanguageModel, 'vocabSize' | 'maxLength'>,
  prompt: readonly number[],
  name = 'the prompt',
): void {
  const { vocabSize, maxLength } = network;
  if (prompt.length === 0) throw new InputError(`${name} is empty; expected at least one token`);
  if (prompt.length > maxLength) {
    throw new InputError(
      `${name} has ${prompt.length} tokens; the model's context holds ${maxLength}`,
    );
  }
  checkIdValues(prompt, vocabularyOf(vocabSize));
}
