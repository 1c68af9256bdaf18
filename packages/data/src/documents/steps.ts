import { DataError } from '../errors.js';
import { replacePii, replacePiiDefaults } from '../pii/replace-pii.js';
import { c4Quality, c4QualityDefaults } from '../quality/c4-quality.js';
import { decontaminate, decontaminateDefaults } from '../quality/decontaminate.js';
import { finewebQuality, finewebQualityDefaults } from '../quality/fineweb-quality.js';
import { gopherQuality, gopherQualityDefaults } from '../quality/gopher-quality.js';
import { gopherRepetition, gopherRepetitionDefaults } from '../quality/gopher-repetition.js';
import { language, languageDefaults } from '../rules/language.js';
import { urlRules, urlRulesDefaults } from '../rules/url-rules.js';
import { settingsOver } from './settings.js';
import type { Step } from './step.js';

/** A step as a pipeline file has it: its name, and its options beside it. */
export interface StepSettings {
  readonly step: string;
  readonly [option: string]: unknown;
}

type Given = Readonly<Record<string, unknown>>;

/** Reads a file of JSON lines that a step names, for steps that need more than options. */
export type ReadRows = (path: string) => readonly Readonly<Record<string, unknown>>[];

const makers: Record<string, (given: Given, place: string, read: ReadRows | undefined) => Step> = {
  'gopher-quality': (given, place) =>
    gopherQuality(settingsOver(gopherQualityDefaults, given, place)),
  'gopher-repetition': (given, place) =>
    gopherRepetition(settingsOver(gopherRepetitionDefaults, given, place)),
  'c4-quality': (given, place) => c4Quality(settingsOver(c4QualityDefaults, given, place)),
  'fineweb-quality': (given, place) =>
    finewebQuality(settingsOver(finewebQualityDefaults, given, place)),
  'url-rules': (given, place) => urlRules(settingsOver(urlRulesDefaults, given, place)),
  language: (given, place) => language(settingsOver(languageDefaults, given, place)),
  decontaminate: decontaminateStep,
  'replace-pii': (given, place) => replacePii(settingsOver(replacePiiDefaults, given, place)),
};

/**
 * The steps of a pipeline file: `[{ "step": "gopher-quality", "minWords": 40 }, { "step": "replace-pii" }]`.
 *
 * @param place the file's name, for errors
 * @param read of steps that name files; absent: they are refused
 * @throws DataError naming the step or option that does not exist
 */
export function stepsOf(settings: unknown, place: string, read?: ReadRows): Step[] {
  if (!Array.isArray(settings) || settings.length === 0) {
    throw new DataError(`${place}: steps is ${JSON.stringify(settings)}; expected a list of steps`);
  }
  return settings.map((each: StepSettings | null, i) => {
    const { step, ...given } = Object(each) as StepSettings;
    const maker = Object.hasOwn(makers, step) ? makers[step] : undefined;
    if (!maker) {
      throw new DataError(
        `${place}: step ${i + 1} is ${JSON.stringify(step ?? each)}; expected ${Object.keys(makers).join(', ')}`,
      );
    }
    return maker(given, `${place}: step ${i + 1}, ${step}`, read);
  });
}

/** `{ "step": "decontaminate", "evaluation": ["gsm8k.jsonl"], "words": 13 }`: lines with `text`, and perhaps `query` and `task`. */
function decontaminateStep(
  { evaluation, ...given }: Given,
  place: string,
  read: ReadRows | undefined,
): Step {
  const options = settingsOver(decontaminateDefaults, given, place);
  if (!Array.isArray(evaluation) || evaluation.length === 0) {
    throw new DataError(
      `${place}: evaluation is ${JSON.stringify(evaluation)}; expected a list of files of JSON lines`,
    );
  }
  if (!read) throw new DataError(`${place}: evaluation names files, which cannot be read here`);
  const examples = evaluation.flatMap((path: string) => {
    const name = /([^/\\]*?)(?:\.jsonl)?$/.exec(path)![1]!;
    return read(path).map(({ text, query, task }, i) => {
      if (typeof text === 'string' && (query === undefined || typeof query === 'string')) {
        return { text, query, task: typeof task === 'string' ? task : name };
      }
      throw new DataError(
        `${path}: line ${i + 1} has no "text", or a "query" that is not a string; expected both as strings`,
      );
    });
  });
  return decontaminate(examples, options);
}
