import { isEncoder, isEncoderDecoder, type Network } from '@headwise/core';
import { type Batch, corruptSpans, maskTokens } from '@headwise/data';
import { createModel, type Model } from '@headwise/models';
import type { Tokenizer } from '@headwise/tokenizers';
import {
  type ExampleBatch,
  evaluate,
  maskedLanguageModel,
  type Objective,
  sequenceToSequence,
} from '@headwise/training';
import { collateWith } from './finetune/collate-with.js';
import { checkRunFits, modelConfig, newOptimizer } from './model.js';
import { objectiveTokens } from './objective-tokens.js';
import type { RunConfig } from './run-config.js';
import type { RunData } from './run-data.js';
import { scheduleOf } from './schedule-of.js';
import { averageOf, type SessionWork } from './session-work.js';

/** What a new encoder or encoder-decoder learns from the windows of a text. */
interface Pretraining {
  objective: Objective<ExampleBatch>;
  /** Hides tokens of a batch of windows; the seed decides which. */
  hide(windows: Pick<Batch, 'inputs' | 'shape'>, seed: number): ExampleBatch;
}

/** The work of a run that trains a new encoder or encoder-decoder on a text. */
export function pretrainingWork(
  config: RunConfig,
  data: RunData,
): SessionWork<Network, ExampleBatch> {
  const { training } = config;
  const { vocabSize } = data.tokenizer;
  checkRunFits(config, vocabSize);
  const { seed } = training;
  const json = modelConfig(config.model, vocabSize, config.objective);
  const model: Model<Network> = createModel(json, { seed, name: "'model'" });
  const { objective, hide } = pretrainingOf(model.network, data.tokenizer);
  return {
    model,
    optimizer: newOptimizer(model, config),
    ema: averageOf(model.params.named(), training.emaDecay),
    objective,
    schedule: scheduleOf(training),
    batches: {
      at: async (step) => {
        const windows = await data.batches.at(step);
        // Hidden anew each time that a window comes; another seed than that of the order of windows.
        return { ...hide(windows, seed + 1 + step), examples: windows.examples };
      },
    },
    pace: training,
    async measure(options) {
      const measured = hidden(data.validation(), hide);
      const { loss, accuracy = 0 } = await evaluate(objective, measured, {
        ...options,
        accuracy: true,
      });
      return { loss, metrics: { 'token accuracy': accuracy } };
    },
  };
}

/** Batches to measure on, hidden in the same way every time. */
function* hidden(windows: Iterable<Pick<Batch, 'inputs' | 'shape'>>, hide: Pretraining['hide']) {
  let number = 0;
  for (const batch of windows) {
    // A rest of the text may be too short to hide a part of it.
    if (batch.shape[1] > 1) yield hide(batch, number);
    number++;
  }
}

/** What a new encoder or encoder-decoder learns. */
export function pretrainingOf(network: Network, tokenizer: Tokenizer): Pretraining {
  const id = (token: string) => tokenizer.tokenToId(token)!;
  const { pad, mask, end, firstSentinel } = objectiveTokens;
  if (isEncoder(network)) {
    const { vocabSize } = network;
    const collate = maskTokens({ vocabSize, maskId: id(mask), padId: id(pad) });
    return {
      objective: maskedLanguageModel(network) as Objective<never> as Objective<ExampleBatch>,
      hide: (windows, seed) => collateWith(collate, rowsOf(windows), seed),
    };
  }
  if (!isEncoderDecoder(network)) throw new Error('a decoder is trained by trainingWork');
  const collate = corruptSpans({
    firstSentinel: id(firstSentinel),
    endId: id(end),
    padId: id(pad),
  });
  return {
    objective: sequenceToSequence(network) as Objective<never> as Objective<ExampleBatch>,
    hide: (windows, seed) => collateWith(collate, rowsOf(windows), seed),
  };
}

const rowsOf = ({ inputs, shape: [rows, length] }: Pick<Batch, 'inputs' | 'shape'>) =>
  Array.from({ length: rows }, (_, n) => ({
    ids: inputs.subarray(n * length, (n + 1) * length),
  }));
