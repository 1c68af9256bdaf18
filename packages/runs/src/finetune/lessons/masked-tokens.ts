import { InputError, isEncoder } from '@headwise/core';
import { type EncodedText, type ExampleOf, maskTokens } from '@headwise/data';
import { type MaskedTokenBatch, maskedLanguageModel } from '@headwise/training';
import { encodeWithin, idOfAny, type Lesson, type LessonSources, teach, zeros } from '../lesson.js';

/** Texts with masked tokens, for an encoder that says what they were. */
export function maskedTokenLesson({
  examples,
  tokenizer,
  maxLength,
  vocabSize,
}: LessonSources<'text'>): Lesson<EncodedText, MaskedTokenBatch> {
  const maskId = idOfAny(tokenizer, ['[MASK]', '<mask>']);
  if (maskId === undefined) {
    throw new InputError("mlm: the tokenizer has no token '[MASK]' or '<mask>'; expected one");
  }
  return {
    taught: teach<ExampleOf['text'], EncodedText>(examples, ({ text }) => {
      const { encoding, cut } = encodeWithin(tokenizer, text, maxLength);
      const { ids, specialTokensMask } = encoding;
      if (!specialTokensMask.includes(0)) return undefined;
      return { example: { ids, specialTokensMask }, cut };
    }),
    tokensOf: ({ ids }) => ids.length,
    sizeOf: ({ ids }) => ({ tokens: ids.length }),
    ofSize: ({ tokens }) => ({ ids: zeros(tokens) }),
    collate: maskTokens({ vocabSize, maskId, padId: idOfAny(tokenizer, ['[PAD]', '<pad>']) }),
    objective(network) {
      if (isEncoder(network)) return maskedLanguageModel(network);
      throw new InputError(
        'mlm: the model is not an encoder; expected one such as BertForMaskedLM',
      );
    },
  };
}
