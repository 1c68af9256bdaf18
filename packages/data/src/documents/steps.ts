import { DataError } from '../errors.js';
import { replacePii, replacePiiDefaults } from '../pii/replace-pii.js';
import { c4Quality, c4QualityDefaults } from '../quality/c4-quality.js';
import {
  decontaminate,
  decontaminateDefaults,
  type EvaluationExample,
} from '../quality/decontaminate.js';
import { finewebQuality, finewebQualityDefaults } from '../quality/fineweb-quality.js';
import { gopherQuality, gopherQualityDefaults } from '../quality/gopher-quality.js';
import { gopherRepetition, gopherRepetitionDefaults } from '../quality/gopher-repetition.js';
import { language, languageDefaults } from '../rules/language.js';
import { urlRules, urlRulesDefaults } from '../rules/url-rules.js';
import type { Documents } from './document.js';
import { settingsOver } from './settings.js';
import type { Step } from './step.js';

/** A step as a pipeline file has it: its name, and its options beside it. */
export interface StepSettings {
  readonly step: string;
  readonly [option: string]: unknown;
}

type Given = Readonly<Record<string, unknown>>;

/** What a step is made with besides its options. */
export interface StepTools {
  /** The documents of a file that a step names; absent where there are no files: such steps are refused. */
  readonly read?: ((path: string) => Documents) | undefined;
  /** Told of what outcomes depend on besides options, such as a file and its hash: a run with another one is another run. */
  readonly depends?: ((name: string, version: string) => void) | undefined;
}

/**
 * Makes a step of a pipeline file from its options.
 *
 * @param place what is said in front of errors
 */
export type StepMaker = (given: Given, place: string, tools: StepTools) => Step | Promise<Step>;

const ownMakers: Readonly<Record<string, StepMaker>> = {
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

/** What `stepsOf` makes steps with. */
export interface StepsOptions extends StepTools {
  /** Steps by name, besides those of this package. */
  readonly makers?: Readonly<Record<string, StepMaker>> | undefined;
}

/**
 * The steps of a pipeline file: `[{ "step": "gopher-quality", "minWords": 40 }, { "step": "replace-pii" }]`.
 *
 * @param place the file's name, for errors
 * @throws DataError naming the step or option that does not exist
 */
export async function stepsOf(
  settings: unknown,
  place: string,
  { makers: others, ...tools }: StepsOptions = {},
): Promise<Step[]> {
  if (!Array.isArray(settings) || settings.length === 0) {
    throw new DataError(`${place}: steps is ${JSON.stringify(settings)}; expected a list of steps`);
  }
  const makers = { ...ownMakers, ...others };
  const steps: Step[] = [];
  for (const [i, each] of settings.entries()) {
    const { step, ...given } = Object(each) as StepSettings;
    const maker = Object.hasOwn(makers, step) ? makers[step] : undefined;
    if (!maker) {
      throw new DataError(
        `${place}: step ${i + 1} is ${JSON.stringify(step ?? each)}; expected ${Object.keys(makers).join(', ')}${others ? '' : ', or classifier or perplexity of @headwise/runs'}`,
      );
    }
    steps.push(await maker(given, `${place}: step ${i + 1}, ${step}`, tools));
  }
  return steps;
}

/** `{ "step": "decontaminate", "evaluation": ["gsm8k.jsonl"], "words": 13 }`: documents with `text`, and perhaps `query` and `task`. */
async function decontaminateStep(
  { evaluation, ...given }: Given,
  place: string,
  { read }: StepTools,
): Promise<Step> {
  const options = settingsOver(decontaminateDefaults, given, place);
  if (!Array.isArray(evaluation) || evaluation.length === 0) {
    throw new DataError(
      `${place}: evaluation is ${JSON.stringify(evaluation)}; expected a list of files`,
    );
  }
  if (!read) throw new DataError(`${place}: evaluation names files, which cannot be read here`);
  const examples: EvaluationExample[] = [];
  for (const path of evaluation as string[]) {
    const name = /([^/\\]*?)(?:\.\w+(?:\.(?:gz|zst))?)?$/.exec(path)![1]!;
    for await (const { id, text, meta } of read(path)) {
      const { query, task } = meta;
      if (query !== undefined && typeof query !== 'string') {
        throw new DataError(
          `${path}: document ${id} has ${JSON.stringify(query)} as "query"; expected a string`,
        );
      }
      examples.push({ text, query, task: typeof task === 'string' ? task : name });
    }
  }
  return decontaminate(examples, options);
}
