import type { ExampleFormat } from '@headwise/data';
import type { ExampleBatch } from '@headwise/training';
import type { FinetuneMethod } from './config.js';
import type { Lesson, LessonSources } from './lesson.js';
import { classLesson } from './lessons/classes.js';
import { maskedTokenLesson } from './lessons/masked-tokens.js';
import { nextTokenLesson } from './lessons/next-token.js';
import { pairLesson } from './lessons/pairs.js';
import { judgementLesson, preferenceLesson } from './lessons/preferences.js';
import { similarTextsLesson } from './lessons/similar-texts.js';

/** The formats that a method learns from, and how; sources, examples and batches are its own. */
interface Method {
  readonly formats: readonly ExampleFormat[];
  readonly lesson: (sources: never) => unknown;
}

const nextToken: Method = { formats: ['messages', 'completion', 'text'], lesson: nextTokenLesson };

const methods: Readonly<Record<FinetuneMethod, Method>> = {
  pretrain: { ...nextToken, formats: ['text'] },
  sft: nextToken,
  lora: nextToken,
  qlora: nextToken,
  dpo: { formats: ['preference'], lesson: preferenceLesson },
  kto: { formats: ['judged'], lesson: judgementLesson },
  classify: { formats: ['label'], lesson: classLesson },
  embed: { formats: ['similar'], lesson: similarTextsLesson },
  mlm: { formats: ['text'], lesson: maskedTokenLesson },
  seq2seq: { formats: ['completion'], lesson: pairLesson },
};

/** The formats of examples that a method learns from. */
export const methodFormats = (method: FinetuneMethod): readonly ExampleFormat[] =>
  methods[method].formats;

/** The lesson of a method; the examples are of one of its formats. */
export function lessonOf(
  method: FinetuneMethod,
  sources: LessonSources,
): Lesson<unknown, ExampleBatch> {
  return methods[method].lesson(sources as never) as Lesson<unknown, ExampleBatch>;
}
