import {
  type EncoderModel,
  InputError,
  isEncoderDecoder,
  isLanguageModel,
  type Network,
} from '@headwise/core';
import { modelParts } from '@headwise/models/internal';
import { causalLanguageModel } from './causal-language-model.js';
import { sequenceClassification, tokenClassification } from './classification.js';
import { maskedLanguageModel } from './masked-language-model.js';
import type { ExampleBatch, Objective } from './objective.js';
import { questionAnswering } from './question-answering.js';
import { sentencePairPretraining } from './sentence-pair-pretraining.js';
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

/**
 * What a network is trained for where nothing else is said, with every position predicted.
 *
 * @param configuration of the network, whose head says what an encoder learns
 * @throws InputError for an encoder without a head
 */
export function defaultObjective(
  network: Network,
  sizes: PlannedBatch,
  configuration: unknown,
): PlannedObjective {
  const { rows, tokens, sourceTokens = tokens } = sizes;
  const zeros = (count: number) => new Int32Array(rows * count);
  if (isEncoderDecoder(network)) {
    const sources = zeros(sourceTokens);
    const batch = { sources, targets: zeros(tokens), shape: [rows, sourceTokens, tokens] } as const;
    return planning(sequenceToSequence(network), batch);
  }
  const text = { inputs: zeros(tokens), shape: [rows, tokens] } as const;
  const targets = zeros(tokens);
  if (isLanguageModel(network)) return planning(causalLanguageModel(network), { ...text, targets });
  const encoder = network as EncoderModel;
  const { head } = modelParts(configuration);
  switch (head.kind) {
    case 'masked-language-model':
      return head.nextSentence
        ? planning(sentencePairPretraining(encoder), { ...text, targets, labels: zeros(1) })
        : planning(maskedLanguageModel(encoder), { ...text, targets });
    case 'sequence-classification':
    case 'next-sentence':
      return planning(sequenceClassification(encoder), { ...text, labels: zeros(1) });
    case 'token-classification':
    case 'language-model':
      return planning(tokenClassification(encoder), { ...text, labels: targets });
    case 'question-answering':
      return planning(questionAnswering(encoder), { ...text, starts: zeros(1), ends: zeros(1) });
    default:
      throw new InputError(
        `planMemory: the model's head is '${head.kind}', which learns nothing by itself; expected options.objective`,
      );
  }
}

const planning = <B extends ExampleBatch>(objective: Objective<B>, batch: B): PlannedObjective =>
  ({ objective, batch }) as unknown as PlannedObjective;
