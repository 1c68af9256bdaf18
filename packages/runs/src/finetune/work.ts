import type { Network } from '@headwise/core';
import { AdaptedModel, Lora, type Model } from '@headwise/models';
import { AdamW, type ExampleBatch, warmupCosine } from '@headwise/training';
import { averageOf, type SessionWork, trainedParams } from '../session-work.js';
import type { FinetuneConfig } from './config.js';
import { loraOptions } from './plan.js';
import type { FinetuneData } from './prepare.js';

/**
 * The work of a run that fine-tunes a model, for `Session.of`.
 *
 * @param model is the session's to free
 * @throws InputError where no linear map has the name of a target
 * @example
 * const config = parseFinetuneConfig({ method: 'lora' });
 * const work = finetuneWork(config, await prepareFinetune(config, sources, model), model);
 * const session = await Session.of(work, storage);
 */
export function finetuneWork(
  config: FinetuneConfig,
  data: FinetuneData<ExampleBatch | Promise<ExampleBatch>>,
  model: Model,
): SessionWork<Network, ExampleBatch> {
  const { training } = config;
  const adapter =
    config.adapter &&
    new Lora(model.params, { ...loraOptions(config.adapter), seed: training.seed });
  const trained = { model, adapter, freeze: data.freeze };
  const network = adapter ? new AdaptedModel(model.network, adapter) : model.network;
  const objective = data.objective(network);
  const { steps } = data;
  const params = trainedParams(trained);
  return {
    ...trained,
    optimizer: new AdamW(params, { weightDecay: training.weightDecay }),
    ema: averageOf(params, training.emaDecay),
    objective,
    schedule: warmupCosine({
      peak: training.learningRate,
      warmupSteps: Math.round(training.warmup * steps),
      totalSteps: steps,
    }),
    batches: data.batches,
    pace: { ...training, steps },
    measure: data.counts.validation === 0 ? undefined : (options) => data.measure(network, options),
  };
}
