import type * as tf from '@tensorflow/tfjs';

/**
 * One run of a contestant; the harness waits for what it gives, and disposes the tensors in it.
 *
 * Where it gives `{ ms }`, that is its time: of a run in another thread, whose start does not count.
 */
export type Run = () => tf.TensorContainer | Promise<unknown>;

/** Who is timed against whom. */
export interface Contestants {
  ours: Run;
  peers: Record<string, Run>;
  /** The largest error of each, where contestants differ in it. */
  errors?: Record<string, number> | undefined;
  /** Numbers about our own runs besides time and memory, such as pipelines; read when all runs are over. */
  counts?: Record<string, number> | undefined;
  /** Frees what `prepare` made. */
  dispose?: (() => void) | undefined;
}

/**
 * Something to time, in a file `x.bench.ts` beside the source, which exports `workloads`.
 *
 * @example
 * export const workloads: Workload[] = [{ name: 'layer-norm/forward/512x768', prepare: () => ({ ours, peers: { stock } }) }];
 */
export interface Workload {
  /** Parts with slashes, the size last: `attention/forward/causal/B1H12T1024D64`. */
  name: string;
  /** Where it runs; default every backend of the machine. `js`: no tensors at all. */
  backends?: readonly ('webgpu' | 'wasm' | 'cpu' | 'js')[] | undefined;
  /** Whether its peers lie in `tools/peers`, which is installed before they are first timed. */
  installsPeers?: boolean | undefined;
  /** Makes the contestants on the backend in use. */
  prepare(): Contestants | Promise<Contestants>;
}
