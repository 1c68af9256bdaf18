import { type EncoderModel, InputError, isEncoder, readTensor } from '@headwise/core';
import { type ExampleOf, type LabelledText, labelledTexts } from '@headwise/data';
import { type LabelledBatch, sequenceClassification } from '@headwise/training';
import * as tf from '@tensorflow/tfjs';
import { encodeWithin, idOfAny, type Lesson, type LessonSources, teach, zeros } from '../lesson.js';

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
    sizeOf: ({ ids }) => ({ tokens: ids.length }),
    ofSize: ({ tokens }) => ({ ids: zeros(tokens), label: 0 }),
    score: (network, examples, options) =>
      classScores(network as EncoderModel, examples, { ...options, classes: classes.length }),
    collate: labelledTexts({ padId: idOfAny(tokenizer, ['[PAD]', '<pad>']) }),
    objective(network) {
      if (isEncoder(network)) return sequenceClassification(network);
      throw new InputError(
        'classify: the model is not an encoder; expected one such as BertForSequenceClassification',
      );
    },
  };
}

/** The share of texts whose class is told, and the mean F1 of the classes that there are. */
async function classScores(
  network: EncoderModel,
  examples: readonly LabelledText[],
  { classes, signal }: { classes: number; signal?: AbortSignal | undefined },
): Promise<Record<string, number>> {
  const told: number[] = [];
  for (const { ids } of examples) {
    signal?.throwIfAborted();
    const best = tf.tidy(() => {
      const row = tf.tensor2d(Array.from(ids), [1, ids.length], 'int32');
      return network.forward(row).logits!.argMax(-1);
    });
    told.push((await readTensor(best))[0]!);
    best.dispose();
  }
  return {
    accuracy: share(examples, ({ label }, n) => told[n] === label),
    F1: meanF1(examples, told, classes),
  };
}

/** The mean over classes of `2 TP / (2 TP + FP + FN)`; classes that neither are there nor are told do not count. */
function meanF1(
  examples: readonly LabelledText[],
  told: readonly number[],
  classes: number,
): number {
  const scores = Array.from({ length: classes }, (_, c) => {
    const right = examples.filter(({ label }, n) => label === c && told[n] === c).length;
    const all = examples.filter(({ label }) => label === c).length;
    return (2 * right) / (all + told.filter((one) => one === c).length);
  }).filter((score) => !Number.isNaN(score));
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

const share = <T>(items: readonly T[], is: (item: T, n: number) => boolean): number =>
  items.filter(is).length / items.length;
