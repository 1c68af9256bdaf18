import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError, type LanguageModel } from '@headwise/core';
import type { SamplingOptions } from '@headwise/generation';
import { describeCheckpoint, parseWith } from '@headwise/models';
import { folderFiles, readJson } from '@headwise/models/node';
import type { Tokenizer } from '@headwise/tokenizers';
import { z } from 'zod';

const schema = z.looseObject({
  do_sample: z.boolean().default(false),
  temperature: z.number().min(0).nullish(),
  top_k: z.number().int().min(0).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
});

/**
 * Throws unless a folder holds a model: its configuration, and every parameter in the header of its weights.
 *
 * No values are read and no backend is needed, so that commands can refuse before they start one.
 */
export async function checkModelFolder(folder: string): Promise<void> {
  await describeCheckpoint(folderFiles(folder));
}

/** How a model folder's `generation_config.json` says to sample; nothing where there is none. */
export async function readSamplingDefaults(folder: string): Promise<SamplingOptions> {
  const path = join(folder, 'generation_config.json');
  if (!existsSync(path)) return {};
  const config = parseWith(schema, await readJson(path), path);
  if (!config.do_sample) return { temperature: 0 };
  return {
    ...(config.temperature != null ? { temperature: config.temperature } : {}),
    // Hugging Face's 0 means all.
    ...(config.top_k ? { topK: config.top_k } : {}),
    ...(config.top_p != null ? { topP: config.top_p } : {}),
  };
}

/**
 * Throws unless a model knows every token of a tokenizer.
 *
 * A model may know more: checkpoints pad their vocabulary.
 */
export function checkVocabulary(
  folder: string,
  tokenizer: Pick<Tokenizer, 'vocabSize'>,
  network: Pick<LanguageModel, 'vocabSize'>,
): void {
  if (tokenizer.vocabSize <= network.vocabSize) return;
  throw new InputError(
    `${folder}: tokenizer.json has ${tokenizer.vocabSize} tokens; the model knows ${network.vocabSize}`,
  );
}
