import { InputError } from '@headwise/core';
import {
  type Batch,
  DataError,
  packTokenIds,
  type ShuffledBatches,
  sequentialBatches,
  shuffledBatches,
  splitCorpus,
  type TokenIds,
  tokenWindows,
} from '@headwise/data';
import { checkPrompt } from '@headwise/generation';
import { type Encoding, Tokenizer, trainByteLevelBpe, trainCharacter } from '@headwise/tokenizers';
import { isSharded } from './check-run-config.js';
import { packedData, sentenceData, type TextParts } from './document-data.js';
import { checkMasking, masksWords } from './masking.js';
import type { RunConfig, TextData } from './run-config.js';
import type { RunBatch, RunData, SamplePrompt } from './run-data.js';
import { objectiveNeeds, specialTokensOf } from './run-objectives.js';
import { type OpenShards, shardData } from './shard-data.js';
import { taskData } from './task-data.js';

/** What is given to prepare a run's data. */
export interface DataSources {
  /** The text of `data.corpus`; undefined for a task and for shards. */
  text?: string | undefined;
  /** The shards of `data.shards` or `data.mixture`. */
  shards?: OpenShards | undefined;
  /** The bytes of the tokenizer that the run has already, and the name of their file, for errors. */
  tokenizer?: { bytes: Uint8Array; name: string } | undefined;
}

/**
 * The tokenizer of a run, learned from the training part unless the run has one already, and its batches.
 *
 * @throws InputError where a part of the text is shorter than a window, or a prompt longer than the context
 */
export async function prepareData(config: RunConfig, sources: DataSources): Promise<RunData> {
  const { bytes, name } = sources.tokenizer ?? {};
  const given = bytes && Tokenizer.fromBytes(bytes, name);
  const { data } = config;
  const prepared =
    'task' in data
      ? await taskData(data, config.training, given)
      : isSharded(data)
        ? await shardData(config, data, sources.shards, given)
        : await textData(config, data, sources.text, given);
  const { vocabSize } = prepared.tokenizer;
  for (const { prompt } of prepared.prompts) {
    const { ids } = prepared.tokenizer.encode(prompt);
    checkPrompt({ vocabSize, maxLength: config.model.context }, ids);
  }
  return prepared;
}

/** Rows of a validation batch at most. */
const validationRows = 16;

async function textData(
  config: RunConfig,
  data: TextData,
  text: string | undefined,
  given: Tokenizer | undefined,
): Promise<RunData> {
  if (text === undefined)
    throw new InputError(`the text of 'data.corpus' ${data.corpus} is missing`);
  const parts = partsOf(text, data);
  const tokenizer = given ?? (await newTokenizer(config, text, parts.train));
  checkMasking(data.masking, tokenizer);
  const prompts = config.samples ? promptsOf(config, parts.validation, tokenizer) : [];
  const { separator } = data;
  const { objective = 'causal-lm' } = config;
  if (separator === undefined) {
    return { tokenizer, prompts, ...windowData(config, data, parts, tokenizer) };
  }
  const documentData = objectiveNeeds[objective].reads === 'sentences' ? sentenceData : packedData;
  const read = documentData(config, { ...data, separator }, parts, tokenizer);
  return { tokenizer, prompts, ...read };
}

/** The batches of a run over windows of a text. */
function windowData(
  config: RunConfig,
  data: TextData,
  parts: TextParts,
  tokenizer: Tokenizer,
): Omit<RunData, 'tokenizer' | 'prompts'> {
  const { seed, batchSize } = config.training;
  const length = windowOf(config);
  const encoded = {
    train: tokenizer.encode(parts.train),
    validation: tokenizer.encode(parts.validation),
  };
  const windowsOf = (part: 'train' | 'validation') => {
    try {
      return tokenWindows(packTokenIds(encoded[part].ids, tokenizer), { length });
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      throw new InputError(
        `'data.corpus' ${data.corpus}, ${part} part (validation ${data.validation}): ${error.message}. Take a longer text, or a shorter context`,
      );
    }
  };
  const [train, { ids }] = [windowsOf('train'), windowsOf('validation')];
  const measured = ids.subarray(0, (data.validationTokens ?? ids.length) + 1);
  const bytes = predictedBytes(parts.validation, encoded.validation, measured.length);
  const shuffled = shuffledBatches(train, { batchSize, seed });
  const inOrder = () => sequentialBatches(measured, { batchSize: validationRows, length });
  const batches = masksWords(data.masking)
    ? withWords({ shuffled, inOrder, stride: train.stride, length }, encoded)
    : { batches: shuffled, validation: inOrder };
  return {
    ...batches,
    validationBytes: bytes,
    tokens: { train: train.ids.length, validation: ids.length },
  };
}

/** Windows over the two parts of a text. */
interface WindowBatches {
  shuffled: Pick<ShuffledBatches, 'at'>;
  inOrder: () => Iterable<Batch>;
  /** Tokens from one window to the next to train on. */
  stride: number;
  /** Tokens from one window to the next to validate: windows do not overlap. */
  length: number;
}

/** Adds the word of each input token to batches, from the place where its window begins. */
function withWords(
  { shuffled, inOrder, stride, length }: WindowBatches,
  encoded: Readonly<Record<'train' | 'validation', Encoding>>,
): Pick<RunData, 'batches' | 'validation'> {
  const wordsOf = ({ wordIds }: Encoding) => Int32Array.from(wordIds, (word) => word ?? -1);
  const words = { train: wordsOf(encoded.train), validation: wordsOf(encoded.validation) };
  const of = (batch: Batch, all: Int32Array, apart: number): RunBatch => {
    const [, tokens] = batch.shape;
    const own = new Int32Array(batch.inputs.length);
    for (const [row, window] of batch.examples.entries()) {
      own.set(all.subarray(window * apart, window * apart + tokens), row * tokens);
    }
    return { ...batch, words: own };
  };
  return {
    batches: { at: (step) => of(shuffled.at(step), words.train, stride) },
    *validation() {
      for (const batch of inOrder()) yield of(batch, words.validation, length);
    },
  };
}

/** The ids of the training part of a text: what the batches of a run are cut from. */
export function trainingIds(config: RunConfig, text: string, tokenizer: Tokenizer): TokenIds {
  const { train } = partsOf(text, config.data as TextData);
  return packTokenIds(tokenizer.encode(train).ids, tokenizer);
}

/** The tokens of a window: the context, without what the objective adds. */
function windowOf({ objective = 'causal-lm', model: { context } }: RunConfig): number {
  const { added = 0 } = objectiveNeeds[objective];
  if (context > added) return context - added;
  throw new InputError(
    `'model.context' is ${context}; expected more than the ${added} tokens that '${objective}' adds to a window`,
  );
}

function partsOf(text: string, { corpus, validation }: TextData) {
  try {
    return splitCorpus(text, { validation });
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new InputError(`'data.corpus' ${corpus}: ${error.message}. Take a longer text`);
  }
}

/** @param train the part that joins are learned from; characters are those of the whole text */
function newTokenizer(config: RunConfig, text: string, train: string): Promise<Tokenizer> {
  const { kind, vocabSize } = config.tokenizer!;
  const specialTokens = [...specialTokensOf(config)];
  return kind === 'character'
    ? trainCharacter([text], { specialTokens })
    : trainByteLevelBpe([train], { vocabSize, specialTokens });
}

/** The prompt of a run, or the first words of the validation part, in half a window at most; none where it begins with blanks alone. */
function promptsOf(
  { samples, model }: RunConfig,
  validation: string,
  tokenizer: Tokenizer,
): SamplePrompt[] {
  if (samples?.prompt !== undefined) return [{ prompt: samples.prompt }];
  const start = validation.trimStart().slice(0, 200);
  const opening = /^.{8,40}?(?=\s)/s.exec(start)?.[0] ?? start.slice(0, 12);
  const { offsets } = tokenizer.encode(opening);
  const half = Math.ceil(model.context / 2);
  const prompt = offsets.length > half ? opening.slice(0, offsets[half - 1]![1]) : opening;
  return prompt === '' ? [] : [{ prompt }];
}

/**
 * The UTF-8 length of what a model predicts of a text: all but its first token.
 *
 * @param tokens the number of tokens that are measured; default all
 */
export function predictedBytes(
  text: string,
  { offsets }: { offsets: readonly (readonly [number, number])[] },
  tokens: number = offsets.length,
): number {
  const end = tokens < offsets.length ? offsets[tokens - 1]![1] : text.length;
  return new TextEncoder().encode(text.slice(offsets[0]?.[1] ?? 0, end)).length;
}
