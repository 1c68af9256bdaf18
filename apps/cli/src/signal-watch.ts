import { constants } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';

/**
 * Runs in a thread of its own: counts signals, and ends the process some time after the second one.
 *
 * Node.js hands signals to the main thread alone, which may compute for minutes; its binding, though deprecated, hears
 * them in any thread. Where it is gone this file fails, and the second signal waits for the main thread.
 */
interface SignalHandle {
  onsignal: () => void;
  start(signal: number): number;
}

const { Signal } = (
  process as unknown as { binding(name: string): { Signal: new () => SignalHandle } }
).binding('signal_wrap');
const { sameSignalMs } = workerData as { sameSignalMs: number };

// The main thread, where it is free, ends the process in the way of the signal.
const graceMs = 200;
let first: number | undefined;

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  const handle = new Signal();
  handle.onsignal = () => {
    first ??= performance.now();
    if (performance.now() - first < sameSignalMs) return;
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), graceMs);
  };
  handle.start(constants.signals[name]);
}

parentPort?.postMessage('listening');
