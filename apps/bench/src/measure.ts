import { currentDevice } from '@headwise/core';
import { type Contestants, peakOfBuffers, type Run } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';

/** What a contestant took. */
export interface Measured {
  /** Median wall time of a run. */
  ms: number;
  /** The most memory of tensors at one time, beyond what lay there before; null where it cannot be told. */
  peakBytes: number | null;
}

export interface Budget {
  /** Rounds of all contestants. */
  maxRounds: number;
  minRounds: number;
  /** No new round begins after this. */
  seconds: number;
}

/** Times contestants in turns, after one or two rounds to warm up, so that a drifting machine is fair to all. */
export async function measure(
  { ours, peers }: Contestants,
  budget: Budget,
): Promise<Record<string, Measured>> {
  const runs: Record<string, Run> = { ours, ...peers };
  const times: Record<string, number[]> = {};
  const peaks: Record<string, number | null> = {};
  for (const [name, run] of Object.entries(runs)) {
    times[name] = [];
    const result = await run();
    tf.dispose(result as tf.TensorContainer);
    // What runs elsewhere, by its own clock, has no tensors here.
    peaks[name] = ownTime(result) === undefined ? await peakBytes(run) : null;
  }
  const begun = performance.now();
  for (let round = 0; round < budget.maxRounds; round++) {
    if (round >= budget.minRounds && performance.now() - begun > budget.seconds * 1000) break;
    for (const [name, run] of Object.entries(runs)) times[name]!.push(await timed(run));
  }
  return Object.fromEntries(
    Object.keys(runs).map((name) => [name, { ms: median(times[name]!), peakBytes: peaks[name]! }]),
  );
}

/** The time of one run, from an idle device to an idle device, in milliseconds. */
export async function timed(run: Run): Promise<number> {
  await finished();
  const start = performance.now();
  const result = await run();
  await finished();
  const ms = ownTime(result) ?? performance.now() - start;
  tf.dispose(result as tf.TensorContainer);
  return ms;
}

/** The time that a run took by its own clock. */
function ownTime(result: unknown): number | undefined {
  const { ms } = (result ?? {}) as { ms?: unknown };
  return typeof ms === 'number' ? ms : undefined;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** TensorFlow.js's WebGPU backend, as far as it is needed to flush it. */
interface Backend {
  commandEncoder: unknown;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

/** Submits the commands so far, and waits until the device has done them. */
export async function finished(): Promise<void> {
  if (tf.getBackend() !== 'webgpu') return;
  const backend = tf.backend() as unknown as Backend;
  backend.endComputePassEncoder();
  if (backend.commandEncoder) backend.submitQueue();
  await currentDevice()!.gpu.queue.onSubmittedWorkDone();
}

/** The most memory of tensors in one run, beyond what lay there before; null where it cannot be told. */
export async function peakBytes(run: Run): Promise<number | null> {
  if (tf.getBackend() !== 'webgpu') {
    const before = tf.memory().numBytes;
    const engine = tf.engine() as unknown as { state: { numBytes: number } };
    return watchPeak(run, engine.state, before);
  }
  await finished();
  // Nothing was counted where a contestant brings a manager of buffers of its own.
  return (await peakOfBuffers(() => timed(run))) || null;
}

/** The peak of TensorFlow.js's own count of bytes in tensors. */
async function watchPeak(run: Run, state: { numBytes: number }, base: number): Promise<number> {
  let bytes = state.numBytes;
  let peak = bytes;
  Object.defineProperty(state, 'numBytes', {
    configurable: true,
    enumerable: true,
    get: () => bytes,
    set: (value: number) => {
      bytes = value;
      peak = Math.max(peak, value);
    },
  });
  try {
    await timed(run);
  } finally {
    Object.defineProperty(state, 'numBytes', {
      configurable: true,
      enumerable: true,
      writable: true,
      value: bytes,
    });
  }
  return peak - base;
}
