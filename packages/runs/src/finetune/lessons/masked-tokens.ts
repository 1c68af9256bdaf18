import { InputError, isEncoder } from '@headwise/core';
import { type EncodedText, type ExampleOf, maskTokens } from '@headwise/data';
import { type MaskedTokenBatch, maskedLanguageModel } from '@headwise/training';
import { checkMasking, maskingUnits } from '../../masking.js';
import { encodeWithin, idOfAny, type Lesson, type LessonSources, teach, zeros } from '../lesson.js';

/** Texts with masked tokens, for an encoder that says what they were. */
export function maskedTokenLesson({
  examples,
  tokenizer,
  maxLength,
  vocabSize,
  masking = 'token',
}: LessonSources<'text'>): Lesson<EncodedText, MaskedTokenBatch> {
  const maskId = idOfAny(tokenizer, ['[MASK]', '<mask>']);
  if (maskId === undefined) {
    throw new InputError("mlm: the tokenizer has no token '[MASK]' or '<mask>'; expected one");
  }
  checkMasking(masking, tokenizer, 'mlm');
  const unit = maskingUnits[masking];
  const padId = idOfAny(tokenizer, ['[PAD]', '<pad>']);
  return {
    taught: teach<ExampleOf['text'], EncodedText>(examples, ({ text }) => {
      const { encoding, cut } = encodeWithin(tokenizer, text, maxLength);
      const { ids, specialTokensMask, wordIds } = encoding;
      if (!specialTokensMask.includes(0)) return undefined;
      return { example: { ids, specialTokensMask, wordIds }, cut };
    }),
    tokensOf: ({ ids }) => ids.length,
    sizeOf: ({ ids }) => ({ tokens: ids.length }),
    ofSize: ({ tokens }) => ({ ids: zeros(tokens), wordIds: zeros(tokens).map((_, i) => i) }),
    collate: maskTokens({ vocabSize, maskId, padId, unit }),
    objective(network) {
      if (isEncoder(network)) return maskedLanguageModel(network);
      throw new InputError(
        'mlm: the model is not an encoder; expected one such as BertForMaskedLM',
      );
    },
  };
}
