import { fastestRegisterLoop, registerSeed, runRegisterLoop } from '@headwise/kernels/internal';
import type { Run } from '@headwise/testing';

/** As many multiplications and additions in registers alone as the work has that is timed. */
export interface Ceiling {
  run: Run;
  /** Operations in a second, the best of a few runs. */
  perSecond: number;
  dispose(): void;
}

/** The adapter's ceiling for work of so many operations, two for each multiplication with an addition. */
export async function ceilingOf(operations: number): Promise<Ceiling> {
  const seed = registerSeed();
  const { sums, perSecond } = await fastestRegisterLoop(seed);
  return {
    run: () => runRegisterLoop(sums, seed, operations),
    perSecond,
    dispose: () => seed.dispose(),
  };
}

/** Prints the best time of a few runs as operations in a second and as a share of the ceiling, and what else is counted. */
export async function printShare(
  name: string,
  run: Run,
  operations: number,
  { perSecond }: Ceiling,
  tokens: number,
): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < 4; round++) {
    const begun = performance.now();
    await run();
    times.push((performance.now() - begun) / 1000);
  }
  // The first run compiles.
  const seconds = Math.min(...times.slice(1));
  const giga = (value: number) => (value / 1e9).toFixed(1);
  const rate = operations / seconds;
  console.log(
    `  ${name}: ${(tokens / seconds).toFixed(0)} tokens/s, ${giga(rate)} GFLOP/s of a ceiling of ${giga(perSecond)}: ${((100 * rate) / perSecond).toFixed(0)} %`,
  );
}
