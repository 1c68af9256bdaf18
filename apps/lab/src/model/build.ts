import type { LanguageModel } from '@headwise/core';
import { createModel, languageModel, type Model, modelSize } from '@headwise/models';
import { modelConfig } from '@headwise/runs';
import type { RunConfig } from './run-config.js';

/** The model of a configuration, its parameters drawn from a seed. */
export function buildModel(
  model: RunConfig['model'],
  vocabSize: number,
  seed: number,
): Model<LanguageModel> {
  return languageModel(createModel(modelConfig(model, vocabSize), { seed }));
}

/** The number of parameters of a model, none of which is made. */
export const countParameters = (model: RunConfig['model'], vocabSize: number): number =>
  modelSize(modelConfig(model, vocabSize)).parameters;
