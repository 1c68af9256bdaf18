import { useSyncExternalStore } from 'react';
import { lab } from '../lab.js';
import type { Codec } from '../route.js';
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
 * Checks that a source holds a model, and keeps a folder or an address among those to choose from.
 *
 * @throws an error naming the file and what is wrong with it
 */
export async function bring(source: ModelSource): Promise<ModelInfo> {
  const info = await lab.call('model', [source]);
  if (source.kind !== 'files' && source.kind !== 'url') return info;
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

export const bundledSource: ModelSource = { kind: 'bundled' };

/** A source as a part of an address. A folder is known by name as long as the tab is open. */
export const asSource: Codec<ModelSource> = {
  write: keyOfSource,
  read(text) {
    if (text === keyOfSource(bundledSource)) return bundledSource;
    const [kind, ...rest] = text.split('/');
    const name = rest.join('/');
    if (kind === 'run' && name !== '') return { kind: 'run', run: name };
    if (kind === 'url' && URL.canParse(name)) return { kind: 'url', url: name };
    return brought.find((one) => keyOfSource(one) === text);
  },
};
