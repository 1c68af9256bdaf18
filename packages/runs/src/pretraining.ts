import { isEncoder, isEncoderDecoder, isLanguageModel, type Network } from '@headwise/core';
import {
  type Batch,
  type Collator,
  corruptSpans,
  denoising,
  type EncodedSentencePair,
  infillText,
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
  type TokenBatch,
} from '@headwise/training';
import { collateWith } from './finetune/collate-with.js';
import type { RunConfig } from './run-config.js';
import { objectiveNeeds, objectiveTokens, type RunObjective } from './run-objectives.js';

/** What a new model learns from the batches of a run's data. */
export interface Pretraining {
  objective: Objective<ExampleBatch>;
  /** What is learned of a batch, with tokens hidden; the seed decides which. */
  hide(batch: TokenBatch, seed: number): ExampleBatch;
  /** A batch of these sizes, to plan the memory by. */
  ofSize(sizes: Pick<PlannedBatch, 'rows' | 'tokens'>): ExampleBatch;
}

const { pad, mask, start, end, firstSentinel } = objectiveTokens;

/** What a new model of a run learns. */
export function pretrainingOf(
  { objective = 'causal-lm', data }: Pick<RunConfig, 'objective' | 'data'>,
  network: Network,
  tokenizer: Tokenizer,
): Pretraining {
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
    const collate = pairCollator(tokenizer);
    return {
      objective: learned(sentencePairPretraining(network)),
      // Pairs come with what is hidden.
      hide: (batch) => batch,
      ofSize: ({ rows, tokens }) => collateWith(collate, pairsOfSize(rows, tokens), 0),
    };
  }
  const collate = collatorOf(objective, tokenizer);
  const { added = 0 } = objectiveNeeds[objective];
  const hide: Pretraining['hide'] = (windows, seed) => collateWith(collate, rowsOf(windows), seed);
  return {
    objective: objectiveOf(objective, network),
    hide,
    ofSize: ({ rows, tokens }) => hide(windowsOfSize(rows, Math.max(1, tokens - added)), 0),
  };
}

/** Masks tokens of sentence pairs. */
export function pairCollator(
  tokenizer: Tokenizer,
): Collator<EncodedSentencePair, ReturnType<ReturnType<typeof maskPairs>>> {
  const { vocabSize } = tokenizer;
  return maskPairs({ vocabSize, maskId: idOf(tokenizer, mask), padId: idOf(tokenizer, pad) });
}

type Hiding = Exclude<RunObjective, 'causal-lm' | 'next-sentence' | 'sentence-order'>;

function objectiveOf(objective: Hiding, network: Network): Objective<ExampleBatch> {
  if (objective === 'masked-lm' && isEncoder(network)) return learned(maskedLanguageModel(network));
  if (objective !== 'masked-lm' && isEncoderDecoder(network))
    return learned(sequenceToSequence(network));
  throw mismatch(objective);
}

type Row = { readonly ids: Int32Array };

function collatorOf(objective: Hiding, tokenizer: Tokenizer): Collator<Row, ExampleBatch> {
  const [padId, endId] = [idOf(tokenizer, pad), idOf(tokenizer, end)];
  if (objective === 'masked-lm') {
    const { vocabSize } = tokenizer;
    return maskTokens({ vocabSize, maskId: idOf(tokenizer, mask), padId });
  }
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

const windowsOfSize = (rows: number, tokens: number): TokenBatch => ({
  inputs: new Int32Array(rows * tokens),
  targets: new Int32Array(rows * tokens),
  shape: [rows, tokens],
});

const pairsOfSize = (rows: number, tokens: number): EncodedSentencePair[] => {
  const zeros = new Array<number>(tokens).fill(0);
  return Array.from({ length: rows }, () => ({
    ...{ ids: zeros, specialTokensMask: zeros, typeIds: zeros, label: 0 },
  }));
};

const rowsOf = ({ inputs, shape: [rows, length] }: Pick<Batch, 'inputs' | 'shape'>): Row[] =>
  Array.from({ length: rows }, (_, n) => ({
    ids: inputs.subarray(n * length, (n + 1) * length),
  }));
