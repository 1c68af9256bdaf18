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
  const { settings } = opened;
  const { seed, batchSize, steps } = config.training;
  const length = config.model.context;
  const { train, validation, budget } = shardParts(data, opened);
  const read = steps * batchSize * length;
  if (budget !== undefined && read > budget) {
    throw new InputError(
      `${place}: has budgets of ${Math.floor(budget)} tokens; the run reads ${read}: 'training.steps' ${steps} of 'training.batchSize' ${batchSize} windows of 'model.context' ${length}`,
    );
  }
  const { curriculum } = settings;
  try {
    const batches = shardBatches(train, { length, batchSize, seed, curriculum });
    const rows = { length, rows: validationRows, tokens: data.validationTokens };
    const measured: Batch[] = [];
    for await (const batch of wholeWindows(validation, rows)) measured.push(batch);
    const sum = (sources: readonly ShardSource[]) =>
      sources.reduce((total, { start, end }) => total + end - start, 0);
    const { prompt } = config.samples ?? {};
    const tokenizer = given ?? opened.tokenizer;
    return {
      tokenizer,
      batches,
      validation: () => measured,
      validationBytes: decodedBytes(tokenizer, measured),
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

/** The parts of each source that a run trains on and measures on, and how many tokens its budgets allow. */
export function shardParts(
  { validation: share }: Pick<ShardData, 'validation'>,
  { settings, shards }: Pick<OpenShards, 'settings' | 'shards'>,
): { train: ShardSource[]; validation: ShardSource[]; budget: number | undefined } {
  const cuts = shards.map((each) => each.length - Math.ceil(each.length * share));
  const { weights, budget } = mixtureWeights(settings, cuts);
  const sourcesOf = (range: (i: number) => { start: number; end: number }): ShardSource[] =>
    shards.map((each, i) => ({ shards: each, ...range(i), weight: weights[i]! }));
  return {
    train: sourcesOf((i) => ({ start: 0, end: cuts[i]! })),
    validation: sourcesOf((i) => ({ start: cuts[i]!, end: shards[i]!.length })),
    budget,
  };
}

/** The UTF-8 length of the text that batches of consecutive windows predict: of their targets, decoded; end tokens have none. */
export function decodedBytes(tokenizer: Tokenizer, batches: readonly Batch[]): number {
  const encoder = new TextEncoder();
  const lengthOf = (ids: Int32Array) => encoder.encode(tokenizer.decode(ids)).length;
  let bytes = 0;
  for (const { inputs, targets } of batches) {
    // The tokens of a batch follow each other: where a text begins within a character, the token before it completes it.
    const first = inputs.subarray(0, 1);
    bytes += lengthOf(Int32Array.from([first[0]!, ...targets])) - lengthOf(first);
  }
  return bytes;
}
