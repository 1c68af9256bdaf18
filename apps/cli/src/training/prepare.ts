import {
  packTokenIds,
  type ShuffledBatches,
  shuffledBatches,
  splitCorpus,
  type TokenIds,
  windows,
} from '@headwise/data';
import { createModel, type Model } from '@headwise/models';
import { type Tokenizer, trainByteLevelBpe, trainCharacter } from '@headwise/tokenizers';
import { loadTokenizer, saveTokenizer } from '@headwise/tokenizers/node';
import { readCorpus } from '../corpus.js';
import type { Output } from '../output.js';
import type { RunConfig } from '../run-config.js';
import type { RunFolder } from '../run-folder.js';

/** What the steps of a run read. */
export interface RunData {
  tokenizer: Tokenizer;
  batches: ShuffledBatches;
  validation: { ids: TokenIds; bytes: number };
}

/** A corpus in its two parts, read and cut before anything is written. */
export async function readParts(config: RunConfig): Promise<{ train: string; validation: string }> {
  return splitCorpus(await readCorpus(config.data.corpus), config.data);
}

/**
 * The tokenizer, made from the training part unless the run has one already, and the token batches.
 *
 * @throws DataError where a part of the corpus is shorter than a window
 */
export async function prepareData(
  config: RunConfig,
  parts: { train: string; validation: string },
  folder: RunFolder,
  out: Output,
): Promise<RunData> {
  const tokenizer = (await folder.hasTokenizer())
    ? await loadTokenizer(folder.tokenizerPath)
    : await makeTokenizer(config, parts.train);
  const ids = (text: string) => packTokenIds(tokenizer.encode(text).ids, tokenizer);
  const [train, validation] = [ids(parts.train), ids(parts.validation)];
  const { seed, batchSize } = config.training;
  const batches = shuffledBatches(windows(train, { length: config.model.context }), {
    batchSize,
    seed,
  });
  windows(validation, { length: config.model.context });
  await saveTokenizer(tokenizer, folder.tokenizerPath);
  out.emit({
    event: 'data',
    vocabSize: tokenizer.vocabSize,
    trainTokens: train.length,
    validationTokens: validation.length,
  });
  out.say(
    `data       ${train.length} tokens to train on, ${validation.length} to validate, vocabulary ${tokenizer.vocabSize}`,
  );
  return {
    tokenizer,
    batches,
    validation: { ids: validation, bytes: Buffer.byteLength(parts.validation) },
  };
}

function makeTokenizer({ tokenizer }: RunConfig, text: string): Promise<Tokenizer> {
  return tokenizer.kind === 'character'
    ? trainCharacter([text])
    : trainByteLevelBpe([text], { vocabSize: tokenizer.vocabSize });
}

/** A new model of the run's sizes. */
export function newModel({ model, training }: RunConfig, vocabSize: number): Model {
  return createModel(
    {
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
    },
    { seed: training.seed },
  );
}
