import { useSyncExternalStore } from 'react';
import { desk } from '../../desk.js';

/** A tokenizer that the desk holds. */
export interface Slot {
  key: string;
  name: string;
}

export const bundledKey = 'bundled';

let slots: readonly Slot[] = [{ key: bundledKey, name: 'Moby-Dick, 1,024 pieces (bundled)' }];
const listeners = new Set<() => void>();
let opening: Promise<unknown> | undefined;

/** The tokenizers to choose from, which last as long as the desk. */
export function useSlots(): readonly Slot[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => slots,
  );
}

export function addSlot(slot: Slot): void {
  slots = [...slots.filter(({ key }) => key !== slot.key), slot];
  for (const listener of listeners) listener();
}

/** Settles when the bundled tokenizer is there; asked again after it could not be fetched. */
export function openBundled(): Promise<unknown> {
  opening ??= desk.call('openTokenizer', [
    bundledKey,
    { kind: 'url', url: new URL('models/moby-dick/tokenizer.json', document.baseURI).href },
  ]);
  opening.catch(() => {
    opening = undefined;
  });
  return opening;
}
