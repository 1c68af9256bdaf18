import { InputError, quoted } from '@headwise/core';
import { languageCode } from './speech-languages.js';
import type { SpeechSettings } from './speech-settings.js';

/** What a transcription is asked to be. */
export interface SpeechTask {
  language?: string | undefined;
  task?: string | undefined;
  timestamps: boolean;
}

/**
 * The tokens that a transcription begins with, in the order of transformers: the start, the language, the task, and that there are no times.
 *
 * Where neither a language nor a task is given, those of `forcedIds` follow the start, or else a detected language alone.
 *
 * @param detect finds the language of the sound among ids
 * @throws InputError for a language or a task that the model does not have
 */
export async function speechStart(
  startId: number,
  speech: SpeechSettings,
  { language, task, timestamps }: SpeechTask,
  detect: (ids: readonly number[]) => Promise<number>,
): Promise<number[]> {
  const { languageIds, taskIds = {}, multilingual = true, noTimestampsId, forcedIds = [] } = speech;
  if (!multilingual && (language !== undefined || task !== undefined)) {
    const [name, value] = language === undefined ? ['task', task] : ['language', language];
    throw new InputError(
      `transcribe: ${name} is ${quoted(value)}, and the model knows English alone; expected none`,
    );
  }
  const asked = language !== undefined || task !== undefined;
  const ids: (number | null)[] = [startId, ...(asked ? [] : forcedIds)];
  if (language !== undefined) ids[1] = languageIdOf(language, languageIds);
  else if (languageIds && (ids[1] ?? null) === null) {
    ids[1] = await detect(Object.values(languageIds));
  }
  if (asked) {
    const wanted = task ?? 'transcribe';
    if (Object.hasOwn(taskIds, wanted)) ids.push(taskIds[wanted]!);
    else if (task !== undefined) {
      throw new InputError(
        `transcribe: task is ${quoted(task)}; expected one of ${Object.keys(taskIds).join(', ') || 'no tasks: the model has none'}`,
      );
    }
  }
  if (timestamps && ids.at(-1) === noTimestampsId) ids.pop();
  if (!timestamps && noTimestampsId !== undefined && ids.at(-1) !== noTimestampsId) {
    ids.push(noTimestampsId);
  }
  return ids.filter((id) => id !== null);
}

function languageIdOf(
  language: string,
  languageIds: Readonly<Record<string, number>> = {},
): number {
  const name = language.toLowerCase();
  const tokens = [name, `<|${languageCode(name) ?? name}|>`];
  const token = tokens.find((each) => Object.hasOwn(languageIds, each));
  if (token !== undefined) return languageIds[token]!;
  const codes = Object.keys(languageIds).map((each) => each.replace(/^<\||\|>$/g, ''));
  throw new InputError(
    `transcribe: language is ${quoted(language)}; expected ${codes.length === 0 ? 'none: the model names no languages' : `one of ${codes.join(', ')}`}`,
  );
}
