/** The labels of the programs that a function dispatches on WebGPU, in order, and how often it submits commands. */
export interface Recorded {
  readonly programs: readonly string[];
  readonly submits: number;
}

/** The number of dispatches that a function records on WebGPU. */
export function dispatchesOf(run: () => void): number {
  const seen = watch();
  try {
    run();
  } finally {
    seen.end();
  }
  return seen.programs.length;
}

/** What a function records on WebGPU, until its promise is there. */
export async function recordedBy(run: () => unknown): Promise<Recorded> {
  const seen = watch();
  try {
    await run();
  } finally {
    seen.end();
  }
  return { programs: seen.programs, submits: seen.submits };
}

/** How often each program was dispatched, by its label, the most frequent first. */
export function countsOf({ programs }: Recorded): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const label of programs) counts[label] = (counts[label] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).sort(([, a], [, b]) => b - a));
}

/** Programs that only move data, by the labels of TensorFlow.js. */
const moves = /^(Transpose|Slice|Concat|Pad|Tile|GatherV2|StridedSlice|Reverse)/;

/** The labels of recorded programs that only move data: transposes, slices, concatenations and the like. */
export const movesOf = ({ programs }: Recorded): string[] =>
  programs.filter((label) => moves.test(label));

function watch(): { programs: string[]; submits: number; end: () => void } {
  const passes = GPUComputePassEncoder.prototype;
  const queues = GPUQueue.prototype;
  const { dispatchWorkgroups, setPipeline } = passes;
  const { submit } = queues;
  const labels = new WeakMap<GPUComputePassEncoder, string>();
  const seen = {
    programs: [] as string[],
    submits: 0,
    end() {
      Object.assign(passes, { dispatchWorkgroups, setPipeline });
      Object.assign(queues, { submit });
    },
  };
  passes.setPipeline = function (pipeline) {
    labels.set(this, pipeline.label);
    return setPipeline.call(this, pipeline);
  };
  passes.dispatchWorkgroups = function (...counts) {
    seen.programs.push(labels.get(this) ?? '');
    return dispatchWorkgroups.apply(this, counts);
  };
  queues.submit = function (commands) {
    seen.submits++;
    return submit.call(this, commands);
  };
  return seen;
}
