import {
  type EncoderModel,
  InputError,
  isEncoderDecoder,
  isLanguageModel,
  type Network,
} from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { causalLanguageModel } from './causal-language-model.js';
import { meanCrossEntropy } from './cross-entropy.js';
import type { ExampleBatch, Objective } from './objective.js';
import { sequenceToSequence } from './sequence-to-sequence.js';

/** The sizes of one batch. */
export interface PlannedBatch {
  /** Sequences. */
  rows: number;
  /** Tokens of each; of an encoder-decoder, of each target. */
  tokens: number;
  /** Tokens of each source of an encoder-decoder; default `tokens`. */
  sourceTokens?: number | undefined;
}

/** An objective with a batch to plan it by; what the ids are makes no difference. */
export interface PlannedObjective<B extends ExampleBatch = ExampleBatch> {
  objective: Objective<B>;
  batch: B;
}

/** What a network is trained for where nothing else is said, with every position predicted. */
export function defaultObjective(network: Network, sizes: PlannedBatch): PlannedObjective {
  const { rows, tokens, sourceTokens = tokens } = sizes;
  const zeros = (count: number) => new Int32Array(rows * count);
  if (isEncoderDecoder(network)) {
    const sources = zeros(sourceTokens);
    const batch = { sources, targets: zeros(tokens), shape: [rows, sourceTokens, tokens] } as const;
    return planning(sequenceToSequence(network), batch);
  }
  const batch = { inputs: zeros(tokens), targets: zeros(tokens), shape: [rows, tokens] } as const;
  if (isLanguageModel(network)) return planning(causalLanguageModel(network), batch);
  return planning(ofHead(network as EncoderModel), batch);
}

const planning = <B extends ExampleBatch>(objective: Objective<B>, batch: B): PlannedObjective =>
  ({ objective, batch }) as unknown as PlannedObjective;

/** The cross-entropy of what an encoder's head gives: for every token, or for the sequence. */
function ofHead(
  network: EncoderModel,
): Objective<{ inputs: Int32Array; shape: readonly [number, number] }> {
  return {
    name: "an encoder's head",
    predicted: ({ shape }) => shape[0],
    loss: ({ inputs, shape }, ctx) =>
      tf.tidy(() => {
        const { logits } = network.forward(tf.tensor2d(inputs, [...shape], 'int32'), ctx);
        if (logits) return meanCrossEntropy(logits, tf.zeros(logits.shape.slice(0, -1), 'int32'));
        throw new InputError(
          'planMemory: the model has no head that gives logits; expected options.objective',
        );
      }),
  };
}
