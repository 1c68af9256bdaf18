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
  const { json, name } = await openProcessor(files, 'image_processor');
  return pictureSettings(json, name);
}

/** {@link logMelSettings} of a checkpoint's files. */
export async function openLogMelSettings(files: CheckpointFiles): Promise<Required<LogMelOptions>> {
  const { json, name } = await openProcessor(files, 'feature_extractor');
  return logMelSettings(json, name);
}

/**
 * The document of a processor: its part of `processor_config.json`, where transformers 5 saves it beside a tokenizer, or else
 * `preprocessor_config.json`.
 *
 * @throws InputError where neither has it, or one is not JSON
 */
async function openProcessor(
  files: CheckpointFiles,
  part: 'image_processor' | 'feature_extractor',
): Promise<{ json: unknown; name: string }> {
  const shared = await openJson(files, sharedName);
  const found = (shared?.json as Record<string, unknown> | null | undefined)?.[part];
  if (shared && found !== undefined) return { json: found, name: `${shared.name}: '${part}'` };
  const own = await openJson(files, ownName);
  if (own) return own;
  throw new InputError(
    `${namedFile(files, ownName)}: is missing${shared ? `, and ${sharedName} has no '${part}'` : `, and so is ${sharedName}`}; expected one of them with the settings of the '${part}'`,
  );
}
