import { isEncoder, isEncoderDecoder, isLanguageModel, type Network } from '@headwise/core';
import {
  type Collator,
  corruptSpans,
  denoising,
  type EncodedSentencePair,
  infillText,
  type MaskTokensOptions,
  maskPairs,
  maskTokens,
  permuteSentences,
} from '@headwise/data';
import type { Tokenizer } from '@headwise/tokenizers';
import {
  causalLanguageModel,
  type ExampleBatch,
  maskedLanguageModel,
  type Objective,
  type PlannedBatch,
  sentencePairPretraining,
  sequenceToSequence,
} from '@headwise/training';
import { collateWith } from './finetune/collate-with.js';
import { type Masking, maskingUnits } from './masking.js';
import type { RunConfig } from './run-config.js';
import type { RunBatch } from './run-data.js';
import { objectiveNeeds, objectiveTokens, type RunObjective } from './run-objectives.js';
import { samplesInputs } from './scheduled-sampling.js';

/** What a new model learns from the batches of a run's data. */
export interface Pretraining {
  objective: Objective<ExampleBatch>;
  /** What is learned of a batch, with tokens hidden; the seed decides which. */
  hide(batch: RunBatch, seed: number): ExampleBatch;
  /** A batch of these sizes, to plan the memory by. */
  ofSize(sizes: Pick<PlannedBatch, 'rows' | 'tokens'>): ExampleBatch;
}

const { pad, mask, start, end, firstSentinel } = objectiveTokens;

/** What a new model of a run learns. */
export function pretrainingOf(
  { objective = 'causal-lm', data, training }: Pick<RunConfig, 'objective' | 'data' | 'training'>,
  network: Network,
  tokenizer: Tokenizer,
): Pretraining {
  const masking = 'masking' in data ? data.masking : undefined;
  if (objective === 'causal-lm') {
    if (!isLanguageModel(network)) throw mismatch(objective);
    const isPacked = 'packing' in data && data.packing !== undefined;
    return {
      objective: learned(causalLanguageModel(network)),
      hide: (batch) => batch,
      ofSize: ({ rows, tokens }) => ({
        ...windowsOfSize(rows, tokens),
        ...(isPacked ? { documents: new Int32Array(rows * tokens) } : {}),
      }),
    };
  }
  if (objective === 'next-sentence' || objective === 'sentence-order') {
    if (!isEncoder(network)) throw mismatch(objective);
    const collate = pairCollator(tokenizer, masking);
    return {
      objective: learned(sentencePairPretraining(network)),
      // Pairs come with what is hidden.
      hide: (batch) => batch,
      ofSize: ({ rows, tokens }) => collateWith(collate, pairsOfSize(rows, tokens), 0),
    };
  }
  const collate = collatorOf(objective, tokenizer, masking);
  const { added = 0 } = objectiveNeeds[objective];
  const hide: Pretraining['hide'] = (windows, seed) => collateWith(collate, rowsOf(windows), seed);
  return {
    objective: objectiveOf(objective, network),
    hide,
    ofSize: ({ rows, tokens }) => ({
      ...hide(windowsOfSize(rows, Math.max(1, tokens - added)), 0),
      // A step of which some inputs are predicted takes another pass.
      ...(samplesInputs(training.scheduledSampling) ? { sampled: 1 } : {}),
    }),
  };
}

/** Masks tokens, words or spans of sentence pairs. */
export function pairCollator(
  tokenizer: Tokenizer,
  masking: Masking = 'token',
): Collator<EncodedSentencePair, ReturnType<ReturnType<typeof maskPairs>>> {
  return maskPairs(maskingOptions(tokenizer, masking));
}

const maskingOptions = (tokenizer: Tokenizer, masking: Masking): MaskTokensOptions => ({
  vocabSize: tokenizer.vocabSize,
  maskId: idOf(tokenizer, mask),
  padId: idOf(tokenizer, pad),
  unit: maskingUnits[masking],
});

type Hiding = Exclude<RunObjective, 'causal-lm' | 'next-sentence' | 'sentence-order'>;

function objectiveOf(objective: Hiding, network: Network): Objective<ExampleBatch> {
  if (objective === 'masked-lm' && isEncoder(network)) return learned(maskedLanguageModel(network));
  if (objective !== 'masked-lm' && isEncoderDecoder(network))
    return learned(sequenceToSequence(network));
  throw mismatch(objective);
}

type Row = { readonly ids: Int32Array; readonly wordIds?: (number | null)[] | undefined };

function collatorOf(
  objective: Hiding,
  tokenizer: Tokenizer,
  masking: Masking = 'token',
): Collator<Row, ExampleBatch> {
  if (objective === 'masked-lm') return maskTokens(maskingOptions(tokenizer, masking));
  const [padId, endId] = [idOf(tokenizer, pad), idOf(tokenizer, end)];
  if (objective === 'span-corruption') {
    return corruptSpans({ firstSentinel: idOf(tokenizer, firstSentinel), endId, padId });
  }
  const noises = [
    permuteSentences(sentenceEnds(tokenizer)),
    infillText({ maskId: idOf(tokenizer, mask) }),
  ];
  return denoising({ noises, firstId: idOf(tokenizer, start), endId, padId });
}

/** Whether a token ends a sentence: its text ends with a full stop, a question mark or an exclamation mark. */
function sentenceEnds(tokenizer: Tokenizer): (id: number) => boolean {
  const known = new Map<number, boolean>();
  return (id) => {
    const found = known.get(id) ?? /[.!?]["'”’)]?\s*$/.test(tokenizer.decode([id]));
    known.set(id, found);
    return found;
  };
}

const idOf = (tokenizer: Tokenizer, token: string): number => tokenizer.tokenToId(token)!;

const learned = <B extends ExampleBatch>(objective: Objective<B>): Objective<ExampleBatch> =>
  objective as Objective<never> as Objective<ExampleBatch>;

const mismatch = (objective: RunObjective) =>
  new Error(`the model does not learn '${objective}', which checkRunFits refuses`);

/** Windows of words of one token each. */
const windowsOfSize = (rows: number, tokens: number): RunBatch => ({
  inputs: new Int32Array(rows * tokens),
  targets: new Int32Array(rows * tokens),
  words: Int32Array.from({ length: rows * tokens }, (_, i) => i),
  shape: [rows, tokens],
});

const pairsOfSize = (rows: number, tokens: number): EncodedSentencePair[] => {
  const zeros = new Array<number>(tokens).fill(0);
  return Array.from({ length: rows }, () => ({
    ...{ ids: zeros, specialTokensMask: zeros, typeIds: zeros, label: 0 },
    wordIds: Array.from(zeros, (_, i) => i),
  }));
};

const rowsOf = ({ inputs, words, shape: [rows, length] }: RunBatch): Row[] =>
  Array.from({ length: rows }, (_, n) => {
    const own = (values: Int32Array) => values.subarray(n * length, (n + 1) * length);
    const wordIds = words && Array.from(own(words), (word) => (word < 0 ? null : word));
    return { ids: own(inputs), wordIds };
  });
