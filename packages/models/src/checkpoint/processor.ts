import { InputError } from '@headwise/core';
import { type PictureSettings, pictureSettings } from '../pictures/settings.js';
import type { LogMelOptions } from '../speech/log-mel.js';
import { logMelSettings } from '../speech/settings.js';
import type { CheckpointFiles } from './files.js';
import { namedFile, openJson } from './open.js';

const ownName = 'preprocessor_config.json';
const sharedName = 'processor_config.json';

/** {@link pictureSettings} of a checkpoint's files. */
export async function openPictureSettings(files: CheckpointFiles): Promise<PictureSettings> {
  const found = await openProcessor(files, 'image_processor');
  if (found) return pictureSettings(found.json, found.name);
  throw nothingThere(files, 'image_processor');
}

/** {@link logMelSettings} of a checkpoint's files. */
export async function openLogMelSettings(files: CheckpointFiles): Promise<Required<LogMelOptions>> {
  const found = await findLogMelSettings(files);
  if (found) return found;
  throw nothingThere(files, 'feature_extractor');
}

/** As {@link openLogMelSettings} does; undefined where there are none. */
export async function findLogMelSettings(
  files: CheckpointFiles,
): Promise<Required<LogMelOptions> | undefined> {
  const found = await openProcessor(files, 'feature_extractor');
  return found && logMelSettings(found.json, found.name);
}

type Part = 'image_processor' | 'feature_extractor';

/**
 * The document of a processor: its part of `processor_config.json`, where transformers 5 saves it beside a tokenizer, or else
 * `preprocessor_config.json`; undefined where neither has it.
 *
 * @throws InputError where one is not JSON
 */
async function openProcessor(
  files: CheckpointFiles,
  part: Part,
): Promise<{ json: unknown; name: string } | undefined> {
  const shared = await openJson(files, sharedName);
  const found = (shared?.json as Record<string, unknown> | null | undefined)?.[part];
  if (shared && found !== undefined) return { json: found, name: `${shared.name}: '${part}'` };
  return openJson(files, ownName);
}

const nothingThere = (files: CheckpointFiles, part: Part): InputError =>
  new InputError(
    `${namedFile(files, ownName)}: is missing, and no ${sharedName} has '${part}'; expected one of them`,
  );
