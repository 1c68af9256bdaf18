import { useSyncExternalStore } from 'react';
import { remember, remembered } from './stored.js';

export type Theme = 'light' | 'dark';

const key = 'headwise-theme';
const dark = window.matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

/** The visitor's choice, else what the system prefers. */
export function theme(): Theme {
  const stored = remembered(key);
  if (stored === 'light' || stored === 'dark') return stored;
  return dark.matches ? 'dark' : 'light';
}

export function applyTheme(): void {
  document.documentElement.dataset.theme = theme();
  for (const listener of listeners) listener();
}

dark.addEventListener('change', applyTheme);

export function chooseTheme(chosen: Theme): void {
  remember(key, chosen);
  applyTheme();
}

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, theme);
}

/** The value of a colour token now. */
export function colour(token: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(token).trim();
}

/** Colours that tell runs apart. */
export const runColours = 8;

export function runColour(index: number): string {
  return colour(`--run-${index % runColours}`);
}
