import { readFile } from 'node:fs/promises';
import { InputError } from '@headwise/core';
import { readSafetensors } from '@headwise/safetensors';
import { writeSafetensorsFile } from '@headwise/safetensors/node';
import { type Progress, restoreTrainer, type Trained, trainerState } from './state.js';

/** Writes a training run's state to a file that is there whole or not at all. */
export async function saveTrainer(
  path: string,
  trained: Trained,
  progress: Progress,
): Promise<void> {
  const { tensors, metadata } = trainerState(trained, progress);
  await writeSafetensorsFile(path, tensors, metadata);
}

/**
 * Sets parameters and optimizer to the state in a file.
 *
 * @throws InputError or SafetensorsError naming the file and what is wrong with it
 */
export async function loadTrainer(path: string, trained: Trained): Promise<Progress> {
  const bytes = await readFile(path).catch((error: Error) => {
    throw new InputError(`${path}: cannot be read: ${error.message}`);
  });
  return restoreTrainer(trained, readSafetensors(bytes, { name: path }), path);
}
