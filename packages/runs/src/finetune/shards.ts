import { InputError } from '@headwise/core';
import {
  type Batch,
  DataError,
  type ShardSource,
  shardBatches,
  wholeWindows,
  windowsIn,
} from '@headwise/data';
import type { Model } from '@headwise/models';
import { modelParts } from '@headwise/models/internal';
import type { Tokenizer } from '@headwise/tokenizers';
import { bitsPerByte, type ExampleBatch, evaluate } from '@headwise/training';
import { decodedBytes, type OpenShards, shardParts } from '../shard-data.js';
import type { FinetuneConfig, FinetuneMethod } from './config.js';
import type { EncodedExamples } from './encode.js';
import { nextTokenLesson } from './lessons/next-token.js';
import type { FinetuneData } from './prepare.js';

/** The methods that learn from shards: each token from those before it. */
export const shardMethods: readonly FinetuneMethod[] = ['pretrain', 'lora', 'qlora'];

/** The most tokens that are measured on. */
const validationTokens = 65_536;

/** The shards of a run, and the length of their windows. */
export interface EncodedShards extends EncodedExamples {
  readonly opened: OpenShards;
  readonly length: number;
}

/**
 * The shards of a run in windows of `data.maxLength` tokens, at most of the model's context.
 *
 * @param tokenizer the model's
 * @param configuration of the model, as `createModel` takes it
 * @throws InputError for a method that learns something else, and for settings without an effect
 */
export function encodeShards(
  config: FinetuneConfig,
  { opened, tokenizer }: { opened: OpenShards; tokenizer: Tokenizer },
  configuration: unknown,
): EncodedShards {
  const { method, data, training } = config;
  if (!shardMethods.includes(method)) {
    throw new InputError(
      `${method}: learns from marked examples, and shards are tokens without marks; expected one of ${shardMethods.join(', ')}`,
    );
  }
  const { batchTokens } = training;
  const without = data.packing
    ? `'data.packing' is ${data.packing}`
    : batchTokens && `'training.batchTokens' is ${batchTokens}`;
  if (without)
    throw new InputError(`${method}: ${without}; windows of shards are full: leave it out`);
  const { vocabSize, maxLength: context } = modelParts(configuration);
  const length = Math.min(data.maxLength, context ?? Number.POSITIVE_INFINITY);
  const examples = { format: 'text' as const, examples: [], places: [] };
  const lesson = nextTokenLesson({ examples, tokenizer, maxLength: length + 1, vocabSize });
  return {
    lesson: lesson as unknown as EncodedExamples['lesson'],
    largest: { tokens: length + 1 },
    opened,
    length,
  };
}

/**
 * The batches of a run on shards, each of windows that are read as they come; the end of each source is measured on.
 *
 * @throws InputError where a source is too short for a window, or the budgets of a mixture are smaller than the run
 */
export async function prepareShards(
  { data, training }: FinetuneConfig,
  { opened, length, lesson }: EncodedShards,
  model: Model,
): Promise<FinetuneData<Promise<ExampleBatch>>> {
  lesson.objective(model.network);
  const { batchSize, accumulate, seed } = training;
  const { train, validation, budget } = shardParts(data, opened);
  const count = (sources: readonly ShardSource[]) =>
    sources.reduce((sum, source) => sum + windowsIn(source, length), 0);
  const windows = count(train);
  const epoch = windows / batchSize / accumulate;
  const steps = training.steps ?? Math.max(1, Math.ceil(training.epochs * epoch));
  const read = steps * accumulate * batchSize * length;
  if (budget !== undefined && read > budget) {
    throw new InputError(
      `the mixture has budgets of ${Math.floor(budget)} tokens; the run reads ${read}: ${steps} steps of ${accumulate * batchSize} windows of ${length}`,
    );
  }
  const curriculum = opened.settings.curriculum?.map((stage) => ({
    ...stage,
    steps: stage.steps * accumulate,
  }));
  const measured: Batch[] = [];
  try {
    const batches = shardBatches(train, { length, batchSize, seed, curriculum });
    if (data.validation > 0) {
      const rows = { length, rows: batchSize, tokens: validationTokens };
      for await (const batch of wholeWindows(validation, rows)) measured.push(batch);
    }
    const bytes = decodedBytes(opened.tokenizer, measured);
    return {
      batches: { at: async (number) => (await batches.at(number)) as unknown as ExampleBatch },
      async measure(network, options) {
        const objective = lesson.objective(network);
        const given = measured as unknown as ExampleBatch[];
        const found = await evaluate(objective, given, { ...options, accuracy: true });
        const { loss, accuracy, perplexity } = found;
        return {
          loss,
          bitsPerByte: bitsPerByte(found, bytes),
          metrics: { 'token accuracy': accuracy!, perplexity },
        };
      },
      objective: (network) => lesson.objective(network),
      steps,
      counts: {
        of: 'windows',
        train: windows,
        validation: measured.reduce((sum, { shape }) => sum + shape[0], 0),
        cut: 0,
        leftOut: 0,
        tokens: windows * length,
        longest: length,
      },
    };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new InputError(`${error.message} (validation ${data.validation})`, { cause: error });
  }
}
