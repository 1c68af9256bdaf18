import { InputError, type Network } from '@headwise/core';
import type { Tokenizer } from '@headwise/tokenizers';
import {
  type MemoryPlan,
  type PlannedBatch,
  type PlanWithinOptions,
  planWithin,
} from '@headwise/training';
import { modelConfig, optimizerOf } from './model.js';
import { pretrainingOf } from './pretraining.js';
import type { RunConfig } from './run-config.js';

/**
 * Plans the memory of a run's training step before anything of it is allocated.
 *
 * @param vocabulary the tokenizer of the run's data; for a causal language model the number of its tokens is enough
 * @throws MemoryPlanError where the plan is over the limit, with the keys of the file that take less
 * @throws BackendError where WebGPU's constants are missing, as in Node.js before `start()`
 */
export function planRun(
  config: RunConfig,
  vocabulary: Tokenizer | number,
  { limit }: Pick<PlanWithinOptions, 'limit'> = {},
): Promise<MemoryPlan> {
  const { model, training, objective = 'causal-lm' } = config;
  const vocabSize = typeof vocabulary === 'number' ? vocabulary : vocabulary.vocabSize;
  const isPacked = 'packing' in config.data && config.data.packing !== undefined;
  const planned = (network: Network, sizes: PlannedBatch) => {
    if (typeof vocabulary === 'number') {
      throw new InputError(`planRun: the objective is ${objective}; expected its tokenizer`);
    }
    const { objective: learned, ofSize } = pretrainingOf(config, network, vocabulary);
    return { objective: learned, batch: ofSize(sizes) };
  };
  return planWithin(
    {
      configuration: modelConfig(model, vocabSize, config.objective),
      batch: { rows: training.batchSize, tokens: model.context },
      options: {
        optimizer: (params) => optimizerOf(params, config),
        ema: training.emaDecay !== undefined,
        precision: training.precision,
        ...(objective === 'causal-lm' && !isPacked ? {} : { objective: planned }),
      },
    },
    { limit, remedies: { tokens: (tokens) => `'model.context' ${tokens}` } },
  );
}
