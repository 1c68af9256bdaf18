import { createHash } from 'node:crypto';
import { InputError, type LanguageModel, type Network } from '@headwise/core';
import { type FileContent, Folder } from '@headwise/files';
import { jsonText } from '@headwise/models/internal';
import { type FinetuneConfig, fixedOfFinetune, parseFinetuneConfig } from '../finetune/config.js';
import { runFileNames } from '../run-files.js';
import { type InspectOptions, RunFolder } from './run-folder.js';
import type { RunIdentity } from './run-identity.js';

/** What a fine-tuning run is made from. */
export interface FinetuneInputs {
  config: FinetuneConfig;
  /** SHA-256 of the weights that are fine-tuned, as `weightsHash` gives it; absent: a run that resumes does not compare them. */
  base?: string | undefined;
  /** SHA-256 of the file of examples; absent likewise. */
  examples?: string | undefined;
}

/** What tells a fine-tuning run from others, for `RunFolder.of`. */
export function finetuneIdentity({ config, base }: FinetuneInputs): RunIdentity {
  return {
    fixed: { ...fixedOfFinetune(config), ...(base === undefined ? {} : { base }) },
    fixedOf(json, name) {
      const { base, ...settings } = (json ?? {}) as { base?: unknown };
      return {
        ...fixedOfFinetune(parseFinetuneConfig(settings, name)),
        ...(base === undefined ? {} : { base }),
      };
    },
  };
}

/** The files of a new fine-tuning run, for `RunFolder.begin`. */
export function finetuneFiles({
  config,
  base,
  examples,
}: FinetuneInputs): Record<string, FileContent> {
  return {
    [runFileNames.config]: jsonText({ ...config, base }),
    ...(examples === undefined ? {} : { [runFileNames.corpus]: jsonText({ sha256: examples }) }),
  };
}

/**
 * Opens a folder for a fine-tuning run and locks it; `release` lets other processes train there.
 *
 * @throws InputError where it holds a run and `resume` is not set, holds a run of other settings, or holds other files
 */
export async function finetuneFolder<N extends Network = LanguageModel>(
  path: string,
  inputs: FinetuneInputs,
  options: InspectOptions = {},
): Promise<RunFolder<N>> {
  const folder = await RunFolder.of<N>(path, finetuneIdentity(inputs), options);
  await folder.begin(finetuneFiles(inputs));
  return folder;
}

/**
 * The SHA-256 of a model folder's weights: of the hashes of its files.
 *
 * @throws InputError where the folder has no weights; FileError where they cannot be read
 */
export async function weightsHash(path: string): Promise<string> {
  const folder = await Folder.open(path);
  const names = (await folder.names()).filter((name) => /^model[^/]*\.safetensors$/.test(name));
  if (names.length === 0) throw new InputError(`${path}: has no model.safetensors`);
  const all = createHash('sha256');
  for (const name of names.sort()) {
    all.update(folder.entry(name)?.sha256 ?? (await fileHash(folder, name)));
  }
  return all.digest('hex');
}

async function fileHash(folder: Folder, name: string): Promise<string> {
  const { handle } = await folder.openRequired(name);
  const hash = createHash('sha256');
  try {
    for await (const chunk of handle.createReadStream({ autoClose: false })) hash.update(chunk);
  } finally {
    await handle.close();
  }
  return hash.digest('hex');
}
