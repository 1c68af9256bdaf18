import type { Batch } from '../batches.js';
import { checkWhole, DataError } from '../errors.js';
import { mixture } from './mixture.js';
import type { CurriculumStage } from './mixture-file.js';
import type { TokenShards } from './token-shards.js';

/** A range of shards that batches are drawn from. */
export interface ShardSource {
  readonly shards: TokenShards;
  /** The first token, and the one after the last. */
  readonly start: number;
  readonly end: number;
  /** Its part of what is drawn, in proportion to the others' weights. */
  readonly weight: number;
}

/** Options of `shardBatches`. */
export interface ShardBatchesOptions {
  /** `T`: tokens of a window. */
  readonly length: number;
  /** `B`: windows of a batch. */
  readonly batchSize: number;
  /** A whole number up to 2^53 − 1; default 0. */
  readonly seed?: number | undefined;
  /** Stages of shorter rows before the full length; default none. */
  readonly curriculum?: readonly CurriculumStage[] | undefined;
}

/** An infinite sequence of batches that are read as they are asked for: `at(step)` depends on the seed and the step only. */
export interface ShardBatches {
  at(step: number): Promise<Batch>;
}

/** How many windows with the token after each fit into a range. */
export const windowsIn = (
  { start, end }: Pick<ShardSource, 'start' | 'end'>,
  length: number,
): number => Math.max(0, Math.floor((end - start - 1) / length));

/**
 * Batches of windows of shards, mixed by weight.
 *
 * Windows `step · B` to `step · B + B − 1` of the mixture are read by position, each with the token after it, so that any step costs the
 * same and nothing of the others is read.
 *
 * @throws DataError where a source has no window, a weight is not above 0, or a stage's length does not divide the windows'
 */
export function shardBatches(
  sources: readonly ShardSource[],
  { length, batchSize, seed, curriculum = [] }: ShardBatchesOptions,
): ShardBatches {
  checkWhole('length', length, 1);
  checkWhole('batchSize', batchSize, 1);
  const counts = sources.map((source) => windowsIn(source, length));
  checkSources(sources, length);
  const draw = mixture(
    sources.map(({ shards, weight }, i) => ({ name: shards.name, windows: counts[i]!, weight })),
    { seed },
  );
  const firsts = counts.map((_, i) => counts.slice(0, i).reduce((sum, count) => sum + count, 0));
  const lengthAt = lengthsOf(curriculum, length);
  return {
    async at(step) {
      checkWhole('step', step, 0);
      const drawn = Array.from({ length: batchSize }, (_, row) => draw(step * batchSize + row));
      const windows = await Promise.all(
        drawn.map(({ source, window }) => {
          const { shards, start } = sources[source]!;
          return shards.read(start + window * length, length + 1);
        }),
      );
      const rowLength = lengthAt(step);
      const examples = drawn.map(({ source, window }) => firsts[source]! + window);
      return batchOf(windows, length, rowLength, examples);
    },
  };
}

/**
 * Batches of whole windows in the order of sources, to measure on: from the start of each as many as its weight is of the tokens asked for,
 * one at least.
 *
 * @throws DataError where a source has no window
 */
export async function* wholeWindows(
  sources: readonly ShardSource[],
  { length, rows, tokens }: { length: number; rows: number; tokens: number },
): AsyncGenerator<Batch> {
  checkSources(sources, length);
  const sum = sources.reduce((total, { weight }) => total + weight, 0);
  for (const source of sources) {
    const share = Math.round((tokens * source.weight) / sum / length);
    const count = Math.min(windowsIn(source, length), Math.max(1, share));
    for (let first = 0; first < count; first += rows) {
      const numbers = Array.from({ length: Math.min(rows, count - first) }, (_, i) => first + i);
      const windows = await Promise.all(
        numbers.map((n) => source.shards.read(source.start + n * length, length + 1)),
      );
      yield batchOf(windows, length, length, numbers);
    }
  }
}

function checkSources(sources: readonly ShardSource[], length: number): void {
  for (const source of sources) {
    if (windowsIn(source, length) > 0) continue;
    throw new DataError(
      `${source.shards.name}: has ${source.end - source.start} tokens here, expected at least ${length + 1}: a window of ${length} and the token after it`,
    );
  }
}

/** Windows with the token after each, cut into rows of equal length. */
function batchOf(
  windows: readonly ArrayLike<number>[],
  length: number,
  rowLength: number,
  numbers: readonly number[],
): Batch {
  const inputs = new Int32Array(windows.length * length);
  const targets = new Int32Array(windows.length * length);
  for (const [row, window] of windows.entries()) {
    for (let i = 0; i < length; i++) {
      inputs[row * length + i] = window[i]!;
      targets[row * length + i] = window[i + 1]!;
    }
  }
  const pieces = length / rowLength;
  const examples = numbers.flatMap((number) => Array.from({ length: pieces }, () => number));
  return { inputs, targets, shape: [windows.length * pieces, rowLength], examples };
}

function lengthsOf(
  curriculum: readonly CurriculumStage[],
  length: number,
): (step: number) => number {
  let end = 0;
  const stages = curriculum.map((stage, i) => {
    if (length % stage.length !== 0) {
      throw new DataError(
        `curriculum stage ${i + 1}: length is ${stage.length}, expected a divisor of the ${length} tokens of a window`,
      );
    }
    end += stage.steps;
    return { end, length: stage.length };
  });
  return (step) => stages.find((stage) => step < stage.end)?.length ?? length;
}
