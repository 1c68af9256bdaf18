import type { Network } from '@headwise/core';
import type { LoraOptions } from '@headwise/models';
import { type MemoryPlan, type PlanWithinOptions, planWithin } from '@headwise/training';
import { collateWith } from './collate-with.js';
import type { AdapterPart, FinetuneConfig } from './config.js';
import type { EncodedExamples } from './encode.js';

/**
 * Plans the memory of a fine-tuning run before anything is allocated: of the largest batch that its examples can make.
 *
 * @param configuration of the model, as `createModel` takes it
 * @throws MemoryPlanError where the plan is over the limit, with what takes less
 * @throws InputError where the model cannot learn this
 */
export function planFinetune(
  config: FinetuneConfig,
  { lesson, largest }: EncodedExamples,
  configuration: unknown,
  options: PlanWithinOptions = {},
): Promise<MemoryPlan> {
  const { adapter, training } = config;
  const { batchSize, batchTokens, accumulate, checkpointActivations, emaDecay } = training;
  const longest = Math.max(largest.tokens, largest.sourceTokens ?? 0);
  const rows =
    batchTokens === undefined
      ? batchSize
      : Math.min(batchSize, Math.max(1, Math.floor(batchTokens / longest)));
  return planWithin(
    {
      configuration,
      batch: { rows, ...largest },
      options: {
        objective: (network: Network, batch) => ({
          objective: lesson.objective(network),
          batch: collateWith(
            lesson.collate,
            Array.from({ length: batch.rows }, () => lesson.ofSize(batch)),
            0,
          ),
        }),
        accumulate,
        ema: emaDecay !== undefined,
        checkpoint: checkpointActivations,
        freeze: adapter ? undefined : lesson.freeze,
        ...(adapter ? { dtype: adapter.weights, lora: loraOptions(adapter) } : {}),
      },
    },
    options,
  );
}

/** Every linear map of a block: those of attention and of the feed-forward layer, not the output head. */
const ofBlocks = /(?:^|\.)blocks\.\d+\./;

/** The low-rank updates of a run. */
export function loraOptions({ targets, ...part }: AdapterPart): LoraOptions {
  const { rank, alpha, rankStabilized, dora, dropout } = part;
  const named = targets?.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
  return {
    rank,
    alpha,
    rankStabilized,
    dora,
    dropout,
    targets: named === undefined ? ofBlocks : new RegExp(`(?:^|\\.)(?:${named})$`),
  };
}
