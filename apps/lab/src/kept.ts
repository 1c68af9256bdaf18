import { useState } from 'react';

/** The whole of what is kept for this tab, in one entry of its session storage; another form has another number. */
const storageKey = 'headwise-kept-1';
/** Milliseconds that changes wait for more of them before they are written. */
const writeAfter = 200;

const values = new Map<string, unknown>(Object.entries(stored()));
let timer: ReturnType<typeof setTimeout> | undefined;

function stored(): object {
  try {
    const json: unknown = JSON.parse(sessionStorage.getItem(storageKey) ?? '{}');
    return json !== null && typeof json === 'object' ? json : {};
  } catch {
    return {};
  }
}

function write(): void {
  clearTimeout(timer);
  timer = undefined;
  try {
    sessionStorage.setItem(storageKey, JSON.stringify(Object.fromEntries(values)));
  } catch {
    // Storage that is full or forbidden: the values last as long as the page.
  }
}

window.addEventListener('pagehide', write);

/** A value that outlives a change of page, and, where it can be written as JSON, a reload. */
export function kept(key: string): unknown {
  return values.get(key);
}

export function keep(key: string, value: unknown): void {
  if (value === undefined) values.delete(key);
  else values.set(key, value);
  timer ??= setTimeout(write, writeAfter);
}

/**
 * State of a page that is there again when the visitor comes back to it, in the same tab.
 *
 * @param read gives what was kept in its right form; undefined where an older version of the lab kept it
 */
export function useKept<T>(
  key: string,
  initial: T | (() => T),
  read: (value: unknown) => T | undefined,
): [T, (next: T | ((before: T) => T)) => void] {
  const [value, setValue] = useState<T>(() => {
    const before = values.has(key) ? read(values.get(key)) : undefined;
    return before ?? (initial instanceof Function ? initial() : initial);
  });
  const set = (next: T | ((before: T) => T)) =>
    setValue((before) => {
      const now = next instanceof Function ? next(before) : next;
      keep(key, now);
      return now;
    });
  return [value, set];
}
