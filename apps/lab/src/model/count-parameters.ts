import { modelSize } from '@headwise/models';
import { modelConfig } from '@headwise/runs';
import type { RunConfig } from './run-config.js';

/** The number of parameters of a model, computed without making them. */
export const countParameters = (model: RunConfig['model'], vocabSize: number): number =>
  modelSize(modelConfig(model, vocabSize)).parameters;
