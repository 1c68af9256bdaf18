import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type GenerationDefaults, parseGenerationConfig } from '@headwise/generation';
import { describeCheckpoint, parseWith } from '@headwise/models';
import { folderFiles, readJson } from '@headwise/models/node';
import { z } from 'zod';

const endTokens = z.looseObject({ eos_token_id: z.unknown() });

/**
 * Throws unless a folder holds a model: its configuration, and every parameter in the header of its weights.
 *
 * No values are read and no backend is needed, so that commands can refuse before they start one.
 */
export async function checkModelFolder(folder: string): Promise<void> {
  await describeCheckpoint(folderFiles(folder));
}

/**
 * What a model folder says about generation: its `generation_config.json`; without one, the end tokens of its
 * `config.json`, as transformers 5 takes them.
 */
export async function readGenerationDefaults(folder: string): Promise<GenerationDefaults> {
  const path = join(folder, 'generation_config.json');
  if (existsSync(path)) return parseGenerationConfig(await readJson(path), path);
  const config = join(folder, 'config.json');
  const { eos_token_id } = parseWith(endTokens, await readJson(config), config);
  const { options } = parseGenerationConfig({ eos_token_id }, config);
  // Without a file, sampling keeps its defaults.
  return { options: options.stopIds ? { stopIds: options.stopIds } : {}, unknown: [] };
}
