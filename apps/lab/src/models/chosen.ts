import { useSyncExternalStore } from 'react';
import { lab } from '../lab.js';
import { keyOfSource, type ModelInfo, type ModelSource } from '../worker/model-source.js';

/** Models that the visitor brought along, while the tab is open. */
let brought: readonly ModelSource[] = [];
const listeners = new Set<() => void>();

export function useBrought(): readonly ModelSource[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => brought,
  );
}

/**
 * Checks that a folder or an address holds a model, and keeps it among those to choose from.
 *
 * @throws an error naming the file and what is wrong with it
 */
export async function bring(source: ModelSource): Promise<ModelInfo> {
  const info = await lab.call('model', [source]);
  const key = keyOfSource(source);
  if (!brought.some((known) => keyOfSource(known) === key)) brought = [...brought, source];
  for (const listener of listeners) listener();
  return info;
}

/** A folder's files as a source: those directly in it, under its name. */
export function folderSource(files: readonly File[]): ModelSource {
  const folder = files[0]?.webkitRelativePath.split('/')[0];
  return {
    kind: 'files',
    name: folder || 'the dropped folder',
    files,
  };
}

/** A source as a choice in a list, and back. */
export const bundledSource: ModelSource = { kind: 'bundled' };
