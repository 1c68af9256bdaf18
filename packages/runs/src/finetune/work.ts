import type { Network } from '@headwise/core';
import { AdaptedModel, Lora, type Model } from '@headwise/models';
import { AdamW, type ExampleBatch, evaluate, warmupCosine } from '@headwise/training';
import { type SessionWork, trainedParams } from '../session-work.js';
import type { AdapterPart, FinetuneConfig } from './config.js';
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
  data: FinetuneData,
  model: Model,
): SessionWork<Network, ExampleBatch> {
  const { training } = config;
  const adapter = config.adapter && newAdapter(model, config.adapter, training.seed);
  const trained = { model, adapter };
  const network = adapter ? new AdaptedModel(model.network, adapter) : model.network;
  const objective = data.objective(network);
  const { steps } = data;
  return {
    ...trained,
    optimizer: new AdamW(trainedParams(trained), { weightDecay: training.weightDecay }),
    objective,
    schedule: warmupCosine({
      peak: training.learningRate,
      warmupSteps: Math.round(training.warmup * steps),
      totalSteps: steps,
    }),
    batches: data.batches,
    pace: { ...training, steps },
    measure:
      data.counts.validation === 0
        ? undefined
        : async (options) => ({
            loss: (await evaluate(objective, data.validation(), options)).loss,
          }),
  };
}

/** Every linear map of a block: those of attention and of the feed-forward layer, not the output head. */
const ofBlocks = /(?:^|\.)blocks\.\d+\./;

function newAdapter(model: Model, part: AdapterPart, seed: number): Lora {
  const { rank, alpha, dropout, targets } = part;
  const named = targets?.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
  return new Lora(model.params, {
    rank,
    alpha,
    dropout,
    seed,
    targets: named === undefined ? ofBlocks : new RegExp(`(?:^|\\.)(?:${named})$`),
  });
}
