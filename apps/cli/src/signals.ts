import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** The exit code of a program that was stopped from the keyboard. */
export const interrupted = 130;

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

// npm passes on what the terminal has sent us already.
const sameSignalMs = 250;

/**
 * Runs work that SIGINT, SIGTERM or SIGHUP, of a terminal that is closed, asks to stop; the second signal ends the process at once.
 *
 * Outside such work the first signal ends the process, also while a computation blocks the event loop.
 *
 * @param work gets an `AbortSignal` that fires at the first signal, with its name as the reason
 */
export async function interruptible<T>(work: (stop: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let first: number | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    first ??= performance.now();
    if (performance.now() - first < sameSignalMs) return controller.abort(signal);
    restore();
    // Without a handler the system ends the process, and tells its parent by which signal.
    process.kill(process.pid, signal);
  };
  const restore = () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
  for (const signal of signals) process.on(signal, onSignal);
  const watch = await startWatch();
  try {
    return await work(controller.signal);
  } finally {
    restore();
    await watch?.terminate();
  }
}

/**
 * Starts a thread that ends the process at the second signal, also while the main thread computes.
 *
 * @returns undefined where Node.js cannot receive signals in a thread
 */
async function startWatch(): Promise<Worker | undefined> {
  const worker = new Worker(new URL('./signal-watch.js', import.meta.url), {
    workerData: { sameSignalMs },
    execArgv: ['--no-deprecation'],
  });
  worker.unref();
  try {
    await once(worker, 'message');
    return worker;
  } catch {
    return undefined;
  }
}
