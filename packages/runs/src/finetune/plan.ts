import type { Network } from '@headwise/core';
import { type MarkedTokens, packedRows } from '@headwise/data';
import type { LoraOptions } from '@headwise/models';
import {
  type ExampleBatch,
  type MemoryPlan,
  type PlannedBatch,
  type PlanWithinOptions,
  planWithin,
} from '@headwise/training';
import { samplesInputs } from '../scheduled-sampling.js';
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
  encoded: EncodedExamples,
  configuration: unknown,
  options: PlanWithinOptions = {},
): Promise<MemoryPlan> {
  const { adapter, training } = config;
  const { lesson } = encoded;
  const { accumulate, emaDecay, scheduledSampling } = training;
  return planWithin(
    {
      configuration,
      batch: largestBatch(config, encoded),
      options: {
        objective: (network: Network, sizes) => ({
          objective: lesson.objective(network),
          // A step of which some inputs are predicted takes another pass.
          batch: {
            ...batchOfSize(encoded, sizes),
            ...(samplesInputs(scheduledSampling) ? { sampled: 1 } : {}),
          },
        }),
        accumulate,
        ema: emaDecay !== undefined,
        checkpoint: training.checkpointActivations,
        precision: training.precision,
        freeze: adapter ? undefined : lesson.freeze,
        ...(adapter ? { dtype: adapter.weights, lora: loraOptions(adapter) } : {}),
      },
    },
    options,
  );
}

/** The sizes of the largest batch that the examples can make. */
function largestBatch(
  { training: { batchSize, batchTokens } }: FinetuneConfig,
  { largest, packing }: EncodedExamples,
): PlannedBatch {
  if (packing) return { rows: batchSize, tokens: packing.length };
  const longest = Math.max(largest.tokens, largest.sourceTokens ?? 0);
  const rows =
    batchTokens === undefined
      ? batchSize
      : Math.min(batchSize, Math.max(1, Math.floor(batchTokens / longest)));
  return { rows, ...largest };
}

/** A batch of examples of a size; of packed rows, each with one that fills it. */
function batchOfSize({ lesson, packing }: EncodedExamples, sizes: PlannedBatch): ExampleBatch {
  const { rows, tokens } = sizes;
  const each = <T>(make: () => T) => Array.from({ length: rows }, make);
  if (!packing) {
    return collateWith(
      lesson.collate,
      each(() => lesson.ofSize(sizes)),
      0,
    );
  }
  // A row reads all tokens but the last.
  const filling = () => ({ parts: [lesson.ofSize({ tokens: tokens + 1 }) as MarkedTokens] });
  return packedRows({ length: tokens })(each(filling));
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
