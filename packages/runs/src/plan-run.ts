import type { Network } from '@headwise/core';
import type { Tokenizer } from '@headwise/tokenizers';
import {
  type MemoryPlan,
  type PlannedBatch,
  type PlanWithinOptions,
  planWithin,
} from '@headwise/training';
import { modelConfig, optimizerOf } from './model.js';
import { pretrainingOf } from './pretraining-work.js';
import type { RunConfig } from './run-config.js';

/**
 * Plans the memory of a run's training step before anything of it is allocated.
 *
 * @param tokenizer of the run's data
 * @throws MemoryPlanError where the plan is over the limit, with the keys of the file that take less
 * @throws BackendError where WebGPU's constants are missing, as in Node.js before `start()`
 */
export function planRun(
  config: RunConfig,
  tokenizer: Tokenizer,
  { limit }: Pick<PlanWithinOptions, 'limit'> = {},
): Promise<MemoryPlan> {
  const { model, training, objective } = config;
  const planned = (network: Network, { rows, tokens }: PlannedBatch) => {
    const { objective, hide } = pretrainingOf(network, tokenizer);
    const inputs = new Int32Array(rows * tokens);
    return { objective, batch: hide({ inputs, shape: [rows, tokens] }, training.seed) };
  };
  return planWithin(
    {
      configuration: modelConfig(model, tokenizer.vocabSize, objective),
      batch: { rows: training.batchSize, tokens: model.context },
      options: {
        optimizer: (params) => optimizerOf(params, config),
        ema: training.emaDecay !== undefined,
        ...((objective ?? 'causal-lm') === 'causal-lm' ? {} : { objective: planned }),
      },
    },
    { limit, remedies: { tokens: (tokens) => `'model.context' ${tokens}` } },
  );
}
