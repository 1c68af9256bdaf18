import type { Output } from '../output.js';
import { interrupted, interruptible } from '../signals.js';

/**
 * Runs work that a signal of the terminal stops. Where it does, it is told, the exit code says so, and nothing is returned.
 *
 * @param left what remains of stopped work, for the person who stopped it
 */
export async function stoppable<T extends object>(
  out: Output,
  left: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const done = await interruptible(async (signal) => {
    try {
      return await work(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
      return undefined;
    }
  });
  if (done) return done;
  out.emit({ event: 'stopped' });
  out.note(`headwise: stopped; ${left}`);
  process.exitCode = interrupted;
  return undefined;
}
