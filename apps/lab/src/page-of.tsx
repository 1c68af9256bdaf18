import { type ComponentType, type LazyExoticComponent, lazy } from 'react';
import { whyNotLoaded } from './loading.js';
import type { PageName } from './route-names.js';

export type LazyPage = Exclude<PageName, 'experiments'>;

const loaders: Record<LazyPage, () => Promise<ComponentType>> = {
  attention: async () => (await import('./pages/attention/page.js')).AttentionPage,
  playground: async () => (await import('./pages/playground/page.js')).PlaygroundPage,
  tokens: async () => (await import('./pages/tokens/page.js')).TokensPage,
  device: async () => (await import('./pages/device/page.js')).DevicePage,
};

export const titles: Record<PageName, string> = {
  experiments: 'Experiments',
  attention: 'Attention',
  playground: 'Playground',
  tokens: 'Tokens',
  device: 'Device',
};

const made = new Map<LazyPage, LazyExoticComponent<ComponentType>>();

/** A page that is fetched when it is first shown, or before. */
export function pageOf(name: LazyPage): LazyExoticComponent<ComponentType> {
  const known = made.get(name);
  if (known) return known;
  const page = lazy(async () => {
    try {
      return { default: await loaders[name]() };
    } catch {
      throw await whyNotLoaded(`The page ${titles[name]}`);
    }
  });
  made.set(name, page);
  return page;
}

/** Fetches a page anew that could not be fetched. */
export function forgetPage(name: LazyPage): void {
  made.delete(name);
}

/** Fetches every page while nothing else is to do: what is open goes on without a connection, and over a new version. */
export function fetchPages(): void {
  const idle = window.requestIdleCallback ?? ((run: () => void) => setTimeout(run, 2000));
  const waiting = Object.values(loaders);
  const next = () => {
    // What fails now is said when the page is shown.
    const load = waiting.shift();
    if (load)
      void load().then(
        () => idle(next),
        () => {},
      );
  };
  idle(next);
}
