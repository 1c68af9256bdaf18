/** The exit code of a program that was stopped from the keyboard. */
export const interrupted = 130;

const signals = ['SIGINT', 'SIGTERM'] as const;

// npm passes on what the terminal has sent us already.
const sameSignalMs = 250;

/**
 * Does work that Ctrl-C, or a request to end, stops in its own time; one more ends the process at once.
 *
 * Outside of it both end the process at once, as the system has it, also while a computation blocks the event loop.
 *
 * @param work is told to stop by its signal
 */
export async function interruptible<T>(work: (stop: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let first: number | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    first ??= performance.now();
    if (performance.now() - first < sameSignalMs) controller.abort();
    else end(signal);
  };
  const restore = () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
  const end = (signal: NodeJS.Signals) => {
    restore();
    // Without a handler the system ends the process, and tells its parent by which signal.
    process.kill(process.pid, signal);
  };
  for (const signal of signals) process.on(signal, onSignal);
  try {
    return await work(controller.signal);
  } finally {
    restore();
  }
}
