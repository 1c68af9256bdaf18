import type { LanguageModel } from '@headwise/core';
import { generate } from '@headwise/generation';
import { bitsPerByte, causalLanguageModel, evaluate } from '@headwise/training';
import type { Sample } from './history.js';
import { newModel, newOptimizer } from './model.js';
import type { RunConfig } from './run-config.js';
import type { RunData } from './run-data.js';
import { documentEndOf } from './run-objectives.js';
import { scheduleOf } from './schedule-of.js';
import { averageOf, type SessionWork } from './session-work.js';

/** The work of a run that trains a new model on a text or a task. */
export function trainingWork(config: RunConfig, data: RunData): SessionWork {
  const { training, samples } = config;
  const { validationBytes } = data;
  const model = newModel(config, data.tokenizer.vocabSize);
  const objective = causalLanguageModel(model.network);
  return {
    model,
    optimizer: newOptimizer(model, config),
    ema: averageOf(model.params.named(), training.emaDecay),
    objective,
    schedule: scheduleOf(training),
    batches: data.batches,
    pace: { ...training, sampleEvery: samples?.every },
    async measure(options) {
      const measured = await evaluate(objective, data.validation(), options);
      const { loss } = measured;
      if (validationBytes === undefined) return { loss };
      return { loss, bitsPerByte: bitsPerByte(measured, validationBytes) };
    },
    samples: samples && (() => written(model.network, config, data)),
  };
}

/** What a model writes after the prompts of a run. */
async function* written(
  network: LanguageModel,
  config: RunConfig,
  data: RunData,
): AsyncGenerator<Sample> {
  const { temperatures = [], maxNewTokens = 0, seed = 0 } = config.samples ?? {};
  const end = documentEndOf(config);
  const stopIds = end === undefined ? undefined : [end];
  for (const { prompt, expected } of data.prompts) {
    const { ids } = data.tokenizer.encode(prompt);
    for (const temperature of expected === undefined ? temperatures : [0]) {
      const most = expected === undefined ? maxNewTokens : expected.length;
      const options = { temperature, maxNewTokens: most, seed, stopIds };
      const made: number[] = [];
      for await (const id of generate(network, ids, options)) made.push(id);
      const text = data.tokenizer.decode(made);
      yield { prompt, text, temperature, ...(expected === undefined ? {} : { expected }) };
    }
  }
}
