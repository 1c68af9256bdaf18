import { useSyncExternalStore } from 'react';
import { type PageName, pages } from './route-names.js';

export interface Route {
  page: PageName;
  /** What follows the page's name in the address. */
  query: URLSearchParams;
}

let current: Route = read();

/** The page is in the fragment, which a static host never sees. */
function read(): Route {
  const [name, query] = window.location.hash.replace(/^#\/?/, '').split('?');
  const page = pages.find((known) => known === name) ?? 'experiments';
  return { page, query: new URLSearchParams(query ?? '') };
}

export function useRoute(): Route {
  return useSyncExternalStore(
    (listener) => {
      const changed = () => {
        current = read();
        listener();
      };
      window.addEventListener('hashchange', changed);
      return () => window.removeEventListener('hashchange', changed);
    },
    () => current,
  );
}

export function hrefOf(page: PageName, query: Record<string, string> = {}): string {
  const text = new URLSearchParams(query).toString();
  return `#/${page}${text === '' ? '' : `?${text}`}`;
}
