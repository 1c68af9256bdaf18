import { InputError, isEncoder } from '@headwise/core';
import { type ExampleOf, type LabelledText, labelledTexts } from '@headwise/data';
import { type LabelledBatch, sequenceClassification } from '@headwise/training';
import { encodeWithin, idOfAny, type Lesson, type LessonSources, teach } from '../lesson.js';

/** Texts and their classes, for a model that classifies sequences. */
export function classLesson({
  examples,
  tokenizer,
  maxLength,
  classes = [],
}: LessonSources<'label'>): Lesson<LabelledText, LabelledBatch> {
  return {
    taught: teach<ExampleOf['label'], LabelledText>(examples, ({ text, label }, place) => {
      const number = classes.indexOf(label);
      if (number < 0) {
        throw new InputError(
          `classify: example ${place} has the label '${label}'; the model has ${classes.map((name) => `'${name}'`).join(', ') || 'no names of classes'}`,
        );
      }
      const { encoding, cut } = encodeWithin(tokenizer, text, maxLength);
      if (encoding.ids.length === 0) return undefined;
      return { example: { ids: encoding.ids, label: number }, cut };
    }),
    tokensOf: ({ ids }) => ids.length,
    collate: labelledTexts({ padId: idOfAny(tokenizer, ['[PAD]', '<pad>']) }),
    objective(network) {
      if (isEncoder(network)) return sequenceClassification(network);
      throw new InputError(
        'classify: the model is not an encoder; expected one such as BertForSequenceClassification',
      );
    },
  };
}
