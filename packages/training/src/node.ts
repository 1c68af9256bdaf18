import { basename, dirname } from 'node:path';
import { InputError } from '@headwise/core';
import { commit, type FileContent, FileError, Folder } from '@headwise/files';
import { readSafetensors, streamSafetensors } from '@headwise/safetensors';
import { type Progress, restoreTrainer, type Trained, trainerState } from './state.js';

/** A training run's state as the content of a file, for `commit`; reading it throws a DivergedError as `trainerState` says. */
export function trainerFile(trained: Trained, progress: Progress): FileContent {
  const { tensors, metadata } = trainerState(trained, progress);
  return streamSafetensors(tensors, metadata, { name: 'the state of the training' });
}

/**
 * Writes a training run's state to a file that is there whole or not at all, and its hash to the folder's manifest.
 *
 * @throws DivergedError for values that are not finite, FileError where it cannot be written; what was saved before stays then
 */
export async function saveTrainer(
  path: string,
  trained: Trained,
  progress: Progress,
): Promise<void> {
  await commit(dirname(path), { write: { [basename(path)]: trainerFile(trained, progress) } });
}

/**
 * Sets parameters, optimizer, averages and loss scale to the state in a file.
 *
 * Everything is checked before anything is changed.
 *
 * @throws InputError or SafetensorsError naming the file and what is wrong with it, flipped bits among it
 */
export async function loadTrainer(path: string, trained: Trained): Promise<Progress> {
  const bytes = await Folder.open(dirname(path))
    .then((folder) => folder.readRequired(basename(path)))
    .catch((error) => {
      if (!(error instanceof FileError)) throw error;
      throw new InputError(error.message, { cause: error });
    });
  return restoreTrainer(trained, readSafetensors(bytes, { name: path }), path);
}
