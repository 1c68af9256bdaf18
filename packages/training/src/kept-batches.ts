import { InputError } from '@headwise/core';
import type { LazyTensorInput, SafetensorsFile } from '@headwise/safetensors';

/** What batches are saved as: arrays by name, and what JSON holds. */
export interface BatchState {
  readonly arrays: Readonly<Record<string, Int32Array | Float32Array>>;
  readonly notes: unknown;
}

/** Batches that depend on more than their number, such as completions that the model has written and will learn from again. */
export interface KeptBatches {
  /** What the batches to come need of those so far; undefined where they need nothing. */
  save(): BatchState | undefined;
  /**
   * Goes on from what was saved.
   *
   * @throws InputError where it is not what `save` gives
   */
  restore(saved: BatchState): void;
}

const prefix = 'batches.';

/** The tensors and the metadata of batches in a trainer's state. */
export function savedBatches(batches: Partial<KeptBatches> | undefined): {
  tensors: Record<string, LazyTensorInput>;
  metadata: Record<string, string>;
} {
  const saved = batches?.save?.();
  if (!saved) return { tensors: {}, metadata: {} };
  const tensors = Object.entries(saved.arrays).map(([name, values]): [string, LazyTensorInput] => [
    `${prefix}${name}`,
    {
      dtype: values instanceof Int32Array ? 'I32' : 'F32',
      shape: [values.length],
      data: () => values,
    },
  ]);
  return {
    tensors: Object.fromEntries(tensors),
    metadata: { batches: JSON.stringify(saved.notes) },
  };
}

/**
 * Restores batches from a trainer's state, where it has any.
 *
 * @throws InputError where the state has batches and the training cannot take them, or they are not whole
 */
export function restoreBatches(
  batches: Partial<KeptBatches> | undefined,
  file: SafetensorsFile,
  name: string,
): void {
  const { batches: notesText } = file.metadata;
  if (notesText === undefined) return;
  if (!batches?.restore) {
    throw new InputError(`${name}: holds batches that were begun; expected 'batches' for them`);
  }
  const arrays: Record<string, Int32Array | Float32Array> = {};
  for (const key of file.tensors.keys()) {
    if (!key.startsWith(prefix)) continue;
    const { data } = file.get(key);
    if (data instanceof Int32Array || data instanceof Float32Array) {
      arrays[key.slice(prefix.length)] = data;
    }
  }
  let notes: unknown;
  try {
    notes = JSON.parse(notesText);
  } catch (error) {
    throw new InputError(`${name}: batches is not JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
  batches.restore({ arrays, notes });
}
