const lockName = (run: string) => `headwise-run-${run}`;

/**
 * Takes a run for this tab until the returned function is called or the tab is closed.
 *
 * @returns undefined where another tab has it
 */
export function takeRun(run: string): Promise<(() => void) | undefined> {
  return new Promise((taken) => {
    void navigator.locks.request(lockName(run), { ifAvailable: true }, (lock) => {
      if (!lock) {
        taken(undefined);
        return;
      }
      return new Promise<void>((release) => taken(release));
    });
  });
}

/** Whether any tab, this one included, has a run. */
export async function isTaken(run: string): Promise<boolean> {
  const { held = [] } = await navigator.locks.query();
  return held.some(({ name }) => name === lockName(run));
}
