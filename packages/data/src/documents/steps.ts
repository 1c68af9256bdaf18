import { DataError } from '../errors.js';
import { replacePii, replacePiiDefaults } from '../pii/replace-pii.js';
import { c4Quality, c4QualityDefaults } from '../quality/c4-quality.js';
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

const makers: Record<string, (given: Given, place: string) => Step> = {
  'gopher-quality': (given, place) =>
    gopherQuality(settingsOver(gopherQualityDefaults, given, place)),
  'gopher-repetition': (given, place) =>
    gopherRepetition(settingsOver(gopherRepetitionDefaults, given, place)),
  'c4-quality': (given, place) => c4Quality(settingsOver(c4QualityDefaults, given, place)),
  'fineweb-quality': (given, place) =>
    finewebQuality(settingsOver(finewebQualityDefaults, given, place)),
  'url-rules': (given, place) => urlRules(settingsOver(urlRulesDefaults, given, place)),
  language: (given, place) => language(settingsOver(languageDefaults, given, place)),
  'replace-pii': (given, place) => replacePii(settingsOver(replacePiiDefaults, given, place)),
};

/**
 * The steps of a pipeline file: `[{ "step": "gopher-quality", "minWords": 40 }, { "step": "replace-pii" }]`.
 *
 * @param place the file's name, for errors
 * @throws DataError naming the step or option that does not exist
 */
export function stepsOf(settings: unknown, place: string): Step[] {
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
    return maker(given, `${place}: step ${i + 1}, ${step}`);
  });
}
