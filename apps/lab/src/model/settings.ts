import { z } from 'zod';
import { type NumberLimits, numberProblem } from '../ui/number-text.js';
import { applies, type ConfigKey, settingOf } from './differences.js';
import {
  type GroupName,
  groups,
  isTask,
  parseRunConfig,
  type RunConfig,
  type Unshown,
} from './run-config.js';

/** What a configuration's schema says of one value that a form shows. */
export interface Setting {
  key: string;
  title: string;
  description: string | undefined;
  /** What it is chosen from; undefined for a number and for what is on or off. */
  choices: readonly string[] | undefined;
  /** Whether it is on or off. */
  flag: boolean;
  limits: NumberLimits;
}

/** A setting that cannot be run with, or what is wrong with several together. */
export interface ConfigProblem {
  key?: ConfigKey;
  title?: string;
  message: string;
}

interface Property {
  title?: string;
  description?: string;
  type?: string;
  enum?: string[];
  minimum?: number;
  maximum?: number;
}

function settingsIn(group: GroupName): Setting[] {
  const { properties = {}, required = [] } = z.toJSONSchema(groups[group], { io: 'output' });
  return Object.entries(properties as Record<string, Property>).flatMap(
    ([key, { title, description, type, enum: choices, minimum, maximum }]) =>
      title === undefined
        ? []
        : {
            key,
            title,
            description,
            choices,
            flag: type === 'boolean',
            limits: {
              min: minimum,
              max: maximum,
              whole: type === 'integer',
              optional: !required.includes(key),
            },
          },
  );
}

/** The settings of each group, in order. */
export const settings: Readonly<Record<GroupName, readonly Setting[]>> = {
  data: settingsIn('data'),
  model: settingsIn('model'),
  training: settingsIn('training'),
};

/** The configuration without settings that do not apply, such as the tokenizer of a task. */
export function withoutUnused(config: RunConfig): object {
  const kept = (group: GroupName) =>
    Object.fromEntries(
      Object.entries(config[group]).filter(([key]) => applies([group, key], config)),
    );
  const unshown = usedUnshown(config);
  return {
    data: kept('data'),
    model: kept('model'),
    training: kept('training'),
    ...(Object.keys(unshown).length > 0 ? { unshown } : {}),
  };
}

/** What the run's file says beyond the form and has a meaning in a configuration: a task has no text to name. */
export function usedUnshown({ data, unshown = {} }: RunConfig): Unshown {
  const { corpus, samples, validationTokens, beta2 } = unshown;
  const text = !isTask(data.source);
  const named = corpus !== undefined && data.source === 'file' && data.file === fileNameOf(corpus);
  const used = {
    ...(named ? { corpus } : {}),
    ...(text ? { validationTokens } : {}),
    beta2,
    ...(text || samples === null ? { samples } : {}),
  };
  return Object.fromEntries(Object.entries(used).filter(([, value]) => value !== undefined));
}

/** The name under which a text of a run's file is kept in the browser. */
export function fileNameOf(corpus: string): string {
  return corpus.split(/[\\/]/).findLast((part) => part !== '') ?? corpus;
}

/** Why a configuration cannot be run as it stands; empty where it can. */
export function configProblems(config: RunConfig): ConfigProblem[] {
  const outside = (Object.keys(settings) as GroupName[]).flatMap((group) =>
    settings[group].flatMap(({ key: name, title, choices, flag, limits }): ConfigProblem[] => {
      const key: ConfigKey = [group, name];
      if (choices || flag || !applies(key, config)) return [];
      const message = numberProblem(settingOf(config, key), limits);
      return message === undefined ? [] : [{ key, title, message }];
    }),
  );
  if (outside.length > 0) return outside;
  const { learningRate, minLearningRate } = config.training;
  if (minLearningRate > learningRate) {
    const message = `At most the learning rate, ${learningRate}.`;
    return [{ key: ['training', 'minLearningRate'], title: 'Last learning rate', message }];
  }
  if (config.data.source === 'file' && config.data.file === undefined) {
    return [{ message: 'Choose a text file to learn from.' }];
  }
  try {
    parseRunConfig(withoutUnused(config));
    return [];
  } catch (error) {
    return [{ message: (error as Error).message.replaceAll('configuration: ', '') }];
  }
}
