import { useMemo, useSyncExternalStore } from 'react';
import { keep, kept } from './kept.js';
import { type PageName, pages } from './route-names.js';

export interface Route {
  page: PageName;
  /** What follows the page's name in the address. */
  query: URLSearchParams;
}

/** Values longer than this stay out of the address, in the tab's session storage. */
const longest = 1500;
/** Names the keys whose values are not in the address. */
const elsewhere = 'kept';
/** Milliseconds between two changes of the address: browsers allow about three a second. */
const addressEvery = 350;

const keyOf = (page: PageName) => `page/${page}`;
const listeners = new Set<() => void>();
let current: Route = isReload() ? { ...read(), query: lastOf(read().page) } : read();
let timer: ReturnType<typeof setTimeout> | undefined;

/** Whether the page was loaded again: its last state is kept, and may be newer than its address. */
function isReload(): boolean {
  const [navigation] = performance.getEntriesByType('navigation');
  return navigation instanceof PerformanceNavigationTiming && navigation.type === 'reload';
}

/** The last query of a page, with every value, as this tab knows it. */
function lastOf(page: PageName): URLSearchParams {
  const text = kept(keyOf(page));
  return new URLSearchParams(typeof text === 'string' ? text : '');
}

/** The page is in the fragment, which a static host never sees; a page without a query is as it was last. */
function read(): Route {
  const [name, text = ''] = window.location.hash.replace(/^#\/?/, '').split('?');
  const page = pages.find((known) => known === name) ?? 'experiments';
  if (text === '') return { page, query: lastOf(page) };
  const query = new URLSearchParams(text);
  const last = lastOf(page);
  for (const key of query.get(elsewhere)?.split(',') ?? []) {
    const value = last.get(key);
    if (value !== null && !query.has(key)) query.set(key, value);
  }
  query.delete(elsewhere);
  return { page, query };
}

function show(route: Route): void {
  current = route;
  keep(keyOf(route.page), route.query.toString());
  for (const listener of listeners) listener();
}

window.addEventListener('hashchange', () => {
  clearTimeout(timer);
  timer = undefined;
  show(read());
  writeAddress();
});

if (current.query.size > 0) writeAddress();

function writeAddress(): void {
  timer = undefined;
  const address = hrefOf(current.page, shortened(current.query));
  if (window.location.hash !== address) window.history.replaceState(null, '', address);
}

function shortened(query: URLSearchParams): URLSearchParams {
  const short = new URLSearchParams();
  const long: string[] = [];
  for (const [key, value] of query) {
    if (value.length > longest) long.push(key);
    else short.set(key, value);
  }
  if (long.length > 0) short.set(elsewhere, long.join());
  return short;
}

export function useRoute(): Route {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}

/** Changes a value of the page that is shown, in its state now and in the address soon. */
export function setQuery(page: PageName, changes: Readonly<Record<string, string | null>>): void {
  if (page !== current.page) return;
  const query = new URLSearchParams(current.query);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) query.delete(key);
    else query.set(key, value);
  }
  show({ page, query });
  timer ??= setTimeout(writeAddress, addressEvery);
}

/** The address of a page, in a state. */
export function hrefOf(
  page: PageName,
  query: Readonly<Record<string, string>> | URLSearchParams = {},
): string {
  const text = new URLSearchParams(query).toString();
  return `#/${page}${text === '' ? '' : `?${text}`}`;
}

/** The address of a page as it was last, with some values of its state changed. */
export function hrefWith(page: PageName, changes: Readonly<Record<string, string>>): string {
  const query = lastOf(page);
  for (const [key, value] of Object.entries(changes)) query.set(key, value);
  return hrefOf(page, shortened(query));
}

/** A value of a page's state as text, and back. */
export interface Codec<T> {
  read(text: string): T | undefined;
  write(value: T): string;
}

/**
 * State of a page that is in its address: it is there again after a change of page and a reload, and a link
 * hands it on.
 */
export function useAddressed<T>(
  page: PageName,
  key: string,
  initial: T,
  codec: Codec<T>,
): [T, (value: T) => void] {
  const route = useRoute();
  const text = route.page === page ? route.query.get(key) : null;
  const value = useMemo(
    () => (text === null ? undefined : codec.read(text)) ?? initial,
    [text, initial],
  );
  const first = codec.write(initial);
  const set = (next: T) => {
    const written = codec.write(next);
    setQuery(page, { [key]: written === first ? null : written });
  };
  return [value, set];
}

export const asText: Codec<string> = { read: (text) => text, write: (text) => text };

export const asNumber: Codec<number> = {
  read: (text) => (text === '' ? undefined : Number(text)),
  write: String,
};

/** One of some words. */
export function asOneOf<T extends string>(words: readonly T[]): Codec<T> {
  return { read: (text) => words.find((word) => word === text), write: (word) => word };
}
