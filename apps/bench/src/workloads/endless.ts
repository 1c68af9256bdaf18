/** Generation without end: begun again, with the next seed, where it has stopped. */
export function endless(begin: (seed: number) => AsyncGenerator<unknown, unknown>): {
  /** Generates a token. */
  next(): Promise<void>;
  end(): void;
} {
  let seed = 0;
  let running = begin(seed);
  return {
    next: async () => {
      if (!(await running.next()).done) return;
      running = begin(++seed);
      await running.next();
    },
    end: () => void running.return('signal'),
  };
}
