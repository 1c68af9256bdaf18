import type { BackendName } from '@headwise/core';
import { start } from './start.js';

/** What a probe saw. */
export interface ProbeResult {
  fastest: BackendName;
  /** Median time of one run, ms. */
  ms: Partial<Record<BackendName, number>>;
}

/**
 * Runs a workload on each backend, after one run to warm up, and tells where its median time is least.
 *
 * The backends are left started; the caller starts the one that it wants.
 *
 * @param prepare makes the workload on the backend in use, and says how to free it
 */
export async function fastestBackend(
  names: readonly BackendName[],
  prepare: () => { run: () => Promise<void>; dispose: () => void },
  runs = 3,
): Promise<ProbeResult> {
  const ms: Partial<Record<BackendName, number>> = {};
  for (const name of names) {
    await start({ prefer: name });
    const { run, dispose } = prepare();
    try {
      await run();
      const times: number[] = [];
      for (let i = 0; i < runs; i++) {
        const begin = performance.now();
        await run();
        times.push(performance.now() - begin);
      }
      ms[name] = times.sort((a, b) => a - b)[runs >> 1]!;
    } finally {
      dispose();
    }
  }
  const [fastest] = [...names].sort((a, b) => ms[a]! - ms[b]!);
  return { fastest: fastest!, ms };
}
