import { InputError, isEncoderDecoder } from '@headwise/core';
import { type ExampleOf, type SequencePair, sequencePairs } from '@headwise/data';
import { type PairBatch, sequenceToSequence } from '@headwise/training';
import { encodeWithin, idOfAny, type Lesson, type LessonSources, teach, zeros } from '../lesson.js';

/** Prompts and their completions as sources and targets, for an encoder-decoder. */
export function pairLesson({
  examples,
  tokenizer,
  maxLength,
  endId,
}: LessonSources<'completion'>): Lesson<SequencePair, PairBatch> {
  return {
    taught: teach<ExampleOf['completion'], SequencePair>(examples, ({ prompt, completion }) => {
      const source = encodeWithin(tokenizer, prompt, maxLength);
      const target = encodeWithin(tokenizer, completion, maxLength);
      const { ids } = target.encoding;
      const isOpen = endId !== undefined && ids.at(-1) !== endId && ids.length < maxLength;
      if (source.encoding.ids.length === 0 || completion === '') return undefined;
      return {
        example: { source: source.encoding.ids, target: isOpen ? [...ids, endId] : ids },
        cut: source.cut || target.cut,
      };
    }),
    tokensOf: ({ source, target }) => source.length + target.length,
    sizeOf: ({ source, target }) => ({ tokens: target.length, sourceTokens: source.length }),
    ofSize: ({ tokens, sourceTokens = tokens }) => ({
      source: zeros(sourceTokens),
      target: zeros(tokens),
    }),
    collate: sequencePairs({ padId: idOfAny(tokenizer, ['<pad>', '[PAD]']) }),
    objective(network) {
      if (isEncoderDecoder(network)) return sequenceToSequence(network);
      throw new InputError(
        'seq2seq: the model is not an encoder-decoder; expected one such as T5 or BART',
      );
    },
  };
}
