import { InputError } from '@headwise/core';
import {
  type Batch,
  DataError,
  type MixtureSettings,
  mixtureWeights,
  type ShardSource,
  shardBatches,
  type TokenShards,
  wholeWindows,
} from '@headwise/data';
import type { Tokenizer } from '@headwise/tokenizers';
import type { RunConfig, ShardData } from './run-config.js';
import type { RunData } from './run-data.js';

/** The shards of a run, as they are opened. */
export interface OpenShards {
  /** One folder of shards is a mixture of one source. */
  readonly settings: MixtureSettings;
  /** Of each source. */
  readonly shards: readonly TokenShards[];
  /** The tokenizer that lies beside the first; the others must have been made with the same. */
  readonly tokenizer: Tokenizer;
}

/** Rows of a validation batch at most. */
const validationRows = 16;

/**
 * The batches of a run on shards: its steps read their windows as they come; what is measured on is held.
 *
 * @throws InputError where a source is too short for a window in each of its parts, or the budgets of a mixture are smaller than the run
 */
export async function shardData(
  config: RunConfig,
  data: ShardData,
  opened: OpenShards | undefined,
  given: Tokenizer | undefined,
): Promise<RunData> {
  const place = data.shards ? `'data.shards' ${data.shards}` : `'data.mixture' ${data.mixture}`;
  if (!opened) throw new InputError(`the shards of ${place} are missing`);
  const { settings, shards } = opened;
  const { seed, batchSize, steps } = config.training;
  const length = config.model.context;
  const cuts = shards.map((each) => each.length - Math.ceil(each.length * data.validation));
  const { weights, budget } = mixtureWeights(settings, cuts);
  const read = steps * batchSize * length;
  if (budget !== undefined && read > budget) {
    throw new InputError(
      `${place}: has budgets of ${Math.floor(budget)} tokens; the run reads ${read}: 'training.steps' ${steps} of 'training.batchSize' ${batchSize} windows of 'model.context' ${length}`,
    );
  }
  const sourcesOf = (range: (i: number) => { start: number; end: number }): ShardSource[] =>
    shards.map((each, i) => ({ shards: each, ...range(i), weight: weights[i]! }));
  const train = sourcesOf((i) => ({ start: 0, end: cuts[i]! }));
  const validation = sourcesOf((i) => ({ start: cuts[i]!, end: shards[i]!.length }));
  const { curriculum } = settings;
  try {
    const batches = shardBatches(train, { length, batchSize, seed, curriculum });
    const rows = { length, rows: validationRows, tokens: data.validationTokens };
    const measured: Batch[] = [];
    for await (const batch of wholeWindows(validation, rows)) measured.push(batch);
    const sum = (sources: readonly ShardSource[]) =>
      sources.reduce((total, { start, end }) => total + end - start, 0);
    const { prompt } = config.samples ?? {};
    return {
      tokenizer: given ?? opened.tokenizer,
      batches,
      validation: () => measured,
      prompts: prompt === undefined ? [] : [{ prompt }],
      tokens: { train: sum(train), validation: sum(validation) },
    };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new InputError(`${place} (validation ${data.validation}): ${error.message}`, {
      cause: error,
    });
  }
}
