import { type CheckpointPlace, checkpointFiles } from '../checkpoint/files.js';
import { openLogMelSettings } from '../checkpoint/processor.js';
import type { WebOptions } from '../checkpoint/web.js';
import type { HubOptions } from '../hub/address.js';
import type { LogMelOptions } from './log-mel.js';

/**
 * Loads the options of `logMelFeatures` that lie beside a checkpoint's weights: those that `logMelSettings` reads in
 * `preprocessor_config.json`, or in the `feature_extractor` of a `processor_config.json`, which counts first as in transformers 5.
 *
 * @param place where the checkpoint is, as for `loadModel`
 * @throws InputError naming both files where neither has the settings, and as `logMelSettings` does
 * @example
 * const settings = await loadLogMelSettings('https://models.example/whisper-large-v3');
 * const features = logMelFeatures(samples, settings); // [1, 3000, 128]
 */
export async function loadLogMelSettings(
  place: CheckpointPlace,
  options: WebOptions & HubOptions = {},
): Promise<Required<LogMelOptions>> {
  return openLogMelSettings(checkpointFiles(place, options));
}
