import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { InputError, type LanguageModel } from '@headwise/core';
import {
  DataError,
  packTokenIds,
  type ShuffledBatches,
  shuffledBatches,
  splitCorpus,
  type TokenIds,
  windows,
} from '@headwise/data';
import { checkPrompt } from '@headwise/generation';
import {
  checkModelFits,
  createModel,
  type DecoderSettings,
  type Model,
  modelSize,
} from '@headwise/models';
import { checkMemory } from '@headwise/models/internal';
import { Tokenizer, trainByteLevelBpe, trainCharacter } from '@headwise/tokenizers';
import { predictedBytes, readCorpus } from '../corpus.js';
import type { Output } from '../output.js';
import type { RunConfig } from '../run-config.js';
import type { RunFolder } from '../run-folder.js';

/** What the steps of a run read. */
export interface RunData {
  tokenizer: Tokenizer;
  trainTokens: number;
  batches: ShuffledBatches;
  validation: { ids: TokenIds; bytes: number };
}

/** A corpus in its two parts, read and cut before anything is written, and the SHA-256 of the whole. */
export interface CorpusParts {
  train: string;
  validation: string;
  sha256: string;
}

/** @param from the file of the configuration, beside which a package is looked for */
export async function readParts(config: RunConfig, from: string): Promise<CorpusParts> {
  checkRunFits(config);
  const text = await readCorpus(config.data.corpus, from);
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { ...splitCorpus(text, config.data), sha256 };
}

/**
 * The tokenizer, made from the training part unless the run has one already, and the token batches.
 *
 * @throws InputError where a part of the corpus is shorter than a window, or a prompt longer than the context
 */
export async function prepareData(
  config: RunConfig,
  parts: CorpusParts,
  folder: RunFolder,
): Promise<RunData> {
  await folder.checkCorpus(parts.sha256, config.data.corpus);
  const made = await folder.tokenizer();
  const tokenizer = made
    ? Tokenizer.fromBytes(made, join(folder.path, 'tokenizer.json'))
    : await makeTokenizer(config, parts.train);
  const { model, samples } = config;
  if (samples) {
    const { vocabSize } = tokenizer;
    checkPrompt({ vocabSize, maxLength: model.context }, tokenizer.encode(samples.prompt).ids);
  }
  const encoded = {
    train: tokenizer.encode(parts.train),
    validation: tokenizer.encode(parts.validation),
  };
  const windowsOf = (part: 'train' | 'validation') => {
    try {
      return windows(packTokenIds(encoded[part].ids, tokenizer), { length: model.context });
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      const { corpus, validation } = config.data;
      throw new InputError(
        `'data.corpus' ${corpus}, ${part} part (validation ${validation}): ${error.message}`,
      );
    }
  };
  const [train, validation] = [windowsOf('train'), windowsOf('validation')];
  const { seed, batchSize } = config.training;
  return {
    tokenizer,
    trainTokens: train.ids.length,
    batches: shuffledBatches(train, { batchSize, seed }),
    validation: {
      ids: validation.ids,
      bytes: predictedBytes(parts.validation, encoded.validation),
    },
  };
}

/** Tells how much there is to learn from. */
export function describeData(out: Output, { tokenizer, trainTokens, validation }: RunData): void {
  const { vocabSize } = tokenizer;
  const validationTokens = validation.ids.length;
  out.emit({ event: 'data', vocabSize, trainTokens, validationTokens });
  out.say(
    `data       ${trainTokens} tokens to train on, ${validationTokens} to validate, vocabulary ${vocabSize}`,
  );
}

function makeTokenizer({ tokenizer }: RunConfig, text: string): Promise<Tokenizer> {
  return tokenizer.kind === 'character'
    ? trainCharacter([text])
    : trainByteLevelBpe([text], { vocabSize: tokenizer.vocabSize });
}

/** Parameters, gradients and AdamW's two moments. */
const COPIES = 4;

/**
 * Throws before anything is allocated if the model, or a batch, does not fit in memory for training.
 *
 * @param vocabSize of its tokenizer; 1 as long as that is not known
 */
export function checkRunFits({ model, training }: RunConfig, vocabSize = 1): void {
  checkModelFits(modelSize(settingsOf(model, vocabSize), "'model'"), {
    copies: COPIES,
    name: "'model'",
  });
  // What a step holds at the least: the inputs of both halves of every block, and the output, in float32.
  const tokens = training.batchSize * model.context;
  checkMemory(
    4 * tokens * model.dim * (2 * model.layers + 1),
    (bytes) =>
      `'training.batchSize' ${training.batchSize} windows of 'model.context' ${model.context} tokens need at least ${bytes} a step`,
  );
}

/** A new model of the run's sizes. */
export function newModel(config: RunConfig, vocabSize: number): Model<LanguageModel> {
  checkRunFits(config, vocabSize);
  return createModel(settingsOf(config.model, vocabSize), {
    seed: config.training.seed,
    name: "'model'",
  });
}

const settingsOf = (model: RunConfig['model'], vocabSize: number): DecoderSettings => ({
  model_type: 'gpt2',
  vocab_size: vocabSize,
  n_positions: model.context,
  n_embd: model.dim,
  n_layer: model.layers,
  n_head: model.heads,
  ...(model.hidden ? { n_inner: model.hidden } : {}),
  embd_pdrop: model.dropout,
  resid_pdrop: model.dropout,
  attn_pdrop: model.dropout,
  bos_token_id: null,
  eos_token_id: null,
});
