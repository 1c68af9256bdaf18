import type { Network } from '@headwise/core';
import { createModel, type Model } from '@headwise/models';
import { type ExampleBatch, evaluate } from '@headwise/training';
import { checkRunFits, modelConfig, newOptimizer } from './model.js';
import { type Pretraining, pretrainingOf } from './pretraining.js';
import type { RunConfig } from './run-config.js';
import type { RunBatch, RunData } from './run-data.js';
import { scheduleOf } from './schedule-of.js';
import { sampledShare } from './scheduled-sampling.js';
import { averageOf, type SessionWork } from './session-work.js';

/** The work of a run that trains a new encoder or encoder-decoder on a text. */
export function pretrainingWork(
  config: RunConfig,
  data: RunData,
): SessionWork<Network, ExampleBatch> {
  const { training } = config;
  const { vocabSize } = data.tokenizer;
  checkRunFits(config, vocabSize);
  const { seed } = training;
  const json = modelConfig(config.model, vocabSize, config.objective);
  const model: Model<Network> = createModel(json, { seed, name: "'model'" });
  const share = sampledShare(training.scheduledSampling, training.steps);
  const { objective, hide } = pretrainingOf(config, model.network, data.tokenizer);
  return {
    model,
    optimizer: newOptimizer(model, config),
    ema: averageOf(model.params.named(), training.emaDecay),
    objective,
    schedule: scheduleOf(training),
    batches: {
      at: async (step) => {
        const batch = await data.batches.at(step);
        // Hidden anew each time that a window comes; another seed than that of the order of windows.
        const hidden = { ...hide(batch, seed + 1 + step), examples: batch.examples };
        return training.scheduledSampling ? { ...hidden, sampled: share(step) } : hidden;
      },
    },
    pace: training,
    async measure(options) {
      const measured = hidden(data.validation(), hide);
      const { loss, accuracy = 0 } = await evaluate(objective, measured, {
        ...options,
        accuracy: true,
      });
      return { loss, metrics: { 'token accuracy': accuracy } };
    },
  };
}

/** Batches to measure on, hidden in the same way every time. */
function* hidden(batches: Iterable<RunBatch>, hide: Pretraining['hide']) {
  let number = 0;
  for (const batch of batches) {
    // A rest of the text may be too short to hide a part of it.
    if (batch.shape[1] > 1) yield hide(batch, number);
    number++;
  }
}
