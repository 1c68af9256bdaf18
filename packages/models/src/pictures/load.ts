import { type CheckpointPlace, checkpointFiles } from '../checkpoint/files.js';
import { openPictureSettings } from '../checkpoint/processor.js';
import type { WebOptions } from '../checkpoint/web.js';
import type { HubOptions } from '../hub/address.js';
import type { PictureSettings } from './settings.js';

/**
 * Loads the settings of `preparePictures` that lie beside a checkpoint's weights: those that `pictureSettings` reads in
 * `preprocessor_config.json`, or in the `image_processor` of a `processor_config.json`, which counts first as in transformers 5.
 *
 * @param place where the checkpoint is, as for `loadModel`
 * @throws InputError naming both files where neither has the settings, and as `pictureSettings` does
 * @example
 * const settings = await loadPictureSettings('https://models.example/vit-base-patch16-224');
 * const pixels = preparePictures([picture], settings);
 */
export async function loadPictureSettings(
  place: CheckpointPlace,
  options: WebOptions & HubOptions = {},
): Promise<PictureSettings> {
  return openPictureSettings(checkpointFiles(place, options));
}
