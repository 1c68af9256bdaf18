const lockName = (run: string) => `headwise-run-${run}`;

/** Milliseconds in which a tab that has just told the end of a run lets go of it. */
const lettingGo = 2000;

/**
 * Takes a run for this tab until the returned function is called or the tab is closed.
 *
 * @returns undefined where another tab has it and keeps it
 */
export function takeRun(run: string): Promise<(() => void) | undefined> {
  const signal = AbortSignal.timeout(lettingGo);
  return new Promise((taken) => {
    navigator.locks
      .request(lockName(run), { signal }, () => new Promise<void>((release) => taken(release)))
      .catch(() => taken(undefined));
  });
}

const stateName = (run: string, step: number) => `headwise-state-${run}-${step}`;

/** Keeps a saved state of a run from being removed, by any tab, until the returned function is called. */
export function holdState(run: string, step: number): Promise<() => void> {
  return new Promise((held) => {
    void navigator.locks.request(
      stateName(run, step),
      { mode: 'shared' },
      () => new Promise<void>((release) => held(release)),
    );
  });
}

/** The steps of the saved states of a run that a tab holds. */
export async function heldStates(run: string): Promise<Set<number>> {
  const { held = [] } = await navigator.locks.query();
  const start = stateName(run, 0).slice(0, -1);
  return new Set(
    held.flatMap(({ name = '' }) =>
      name.startsWith(start) ? Number(name.slice(start.length)) : [],
    ),
  );
}

/** Settles when no tab trains a run any more. */
export async function untilFree(run: string): Promise<void> {
  await navigator.locks.request(lockName(run), { mode: 'shared' }, () => {});
}

/** Whether any tab, this one included, has a run. */
export async function isTaken(run: string): Promise<boolean> {
  const { held = [] } = await navigator.locks.query();
  return held.some(({ name }) => name === lockName(run));
}
