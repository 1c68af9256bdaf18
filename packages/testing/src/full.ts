import { afterAll, inject, test } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** Whether `pnpm test:full` runs: every case. */
    full: boolean;
  }
  interface TaskMeta {
    /** How many cases of the file only `pnpm test:full` runs. */
    leftOut?: number | undefined;
  }
}

/**
 * The cases of a test: all of them in `pnpm test:full`, and in `npm test` those that `represents` picks.
 *
 * Pick one case of each way that the code can take. The run prints how many cases it left out.
 *
 * @example
 * for (const size of cases([1, 63, 64, 65, 513], (size) => size !== 64)) test(`${size} rows`, …);
 */
export function cases<T>(
  all: readonly T[],
  represents: (value: T, index: number) => boolean,
): readonly T[] {
  if (inject('full')) return all;
  const few = all.filter(represents);
  leaveOut(all.length - few.length);
  return few;
}

/** Whether the tests run in a browser, whose software driver compiles and computes for several times as long. */
export const inBrowser: boolean = 'document' in globalThis;

/** A test that only `pnpm test:full` runs; `npm test` counts it as left out. */
export function fullOnly(name: string, run: () => unknown, timeout?: number): void {
  if (inject('full')) test(name, run, timeout);
  else leaveOut(1);
}

/** Adds to what the run says that it left out. */
function leaveOut(count: number): void {
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads which fixtures the pattern names.
  afterAll(({}, { file }) => {
    file.meta.leftOut = (file.meta.leftOut ?? 0) + count;
  });
}
