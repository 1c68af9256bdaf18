import type { EncoderDecoderModel, EncoderModel, LanguageModel } from '@headwise/core';
import { createModel } from '@headwise/models';
import {
  AdamW,
  causalLanguageModel,
  constantRate,
  type ExampleBatch,
  maskedLanguageModel,
  type Objective,
  sequenceToSequence,
  type TrainOptions,
  type TrainStep,
  train,
} from '@headwise/training';
import { configurationOf, type TrainedFamily, type TrainingSizes, trainingIds } from './sizes.js';
import type { Trainer } from './trainer.js';

/** Trains a model of ours by `train`, which clips, decays and reads the loss. */
export function ourTrainer(
  family: TrainedFamily,
  sizes: TrainingSizes,
  rows: number,
  options: Pick<TrainOptions<ExampleBatch>, 'checkpoint' | 'precision' | 'record'> = {},
): Trainer {
  const { network, params } = createModel(configurationOf(family, sizes), { seed: 1 });
  const named = params.named();
  const optimizer = new AdamW(named);
  const ids = trainingIds(family, sizes, rows);
  const { objective, batch } = objectiveOf(family, network, ids, [rows, sizes.length]);
  const steps = train({
    ...{ objective, params: named, optimizer, ...options },
    batches: { at: () => batch },
    schedule: constantRate(1e-3),
    steps: Number.MAX_SAFE_INTEGER,
  });
  return {
    async step() {
      const { value } = await steps.next();
      return { loss: (value as TrainStep).loss };
    },
    dispose() {
      void steps.return(undefined);
      optimizer.dispose();
      params.dispose();
    },
  };
}

/** What a family is trained for, and its batch. */
export function objectiveOf(
  family: TrainedFamily,
  network: unknown,
  { inputs, targets }: { inputs: Int32Array; targets: Int32Array },
  [rows, length]: readonly [rows: number, length: number],
): { objective: Objective<ExampleBatch>; batch: ExampleBatch } {
  const given = <B extends ExampleBatch>(objective: Objective<B>, batch: B) =>
    ({ objective, batch }) as unknown as ReturnType<typeof objectiveOf>;
  const shape = [rows, length] as const;
  if (family === 'gpt2') {
    return given(causalLanguageModel(network as LanguageModel), { inputs, targets, shape });
  }
  if (family === 'bert') {
    return given(maskedLanguageModel(network as EncoderModel), { inputs, targets, shape });
  }
  const pair = { sources: inputs, targets, shape: [rows, length, length] as const };
  return given(sequenceToSequence(network as EncoderDecoderModel), pair);
}
