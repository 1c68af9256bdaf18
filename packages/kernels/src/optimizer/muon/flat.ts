import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { type FlatChunk, wholeChunks } from '../../dispatch/flat.js';
import { runKernel } from '../../dispatch/register.js';
import { chunkSize, scratch } from '../../dispatch/transfer.js';
import { flatSlot, keptZeros, updateInChunks } from '../chunks.js';
import type { Step } from '../rule.js';
import { checkGradients, type OptimizerState, type Slot } from '../state.js';
import { inFours } from '../webgpu.js';
import { averageRule } from './average.js';
import {
  type Block,
  blocksOf,
  type MuonAdjustment,
  type MuonNumbers,
  type MuonParameter,
} from './blocks.js';

/** The matrices of one shape in a chunk. */
interface Batch {
  /** Where they lie in the chunk, `[N, 3]`: start, distance of two rows, distance of two columns. */
  places: tf.Tensor;
  /** `[N, 2]`: the factor of the step, the weight decay. */
  factors: tf.Tensor;
  rows: number;
  columns: number;
}

interface Chunk extends FlatChunk {
  momentum: tf.Tensor;
  /** One group of all values, as the rule's shader wants it. */
  groups: tf.Tensor;
  batches: Batch[];
}

/** Muon over matrices side by side: those of one shape are orthogonalised together. */
export class FlatMuon implements OptimizerState {
  readonly slots: readonly Slot[];
  readonly #numbers: MuonNumbers;
  readonly #parameters: readonly MuonParameter[];
  readonly #chunks: Chunk[];
  readonly #backend = tf.backend() as WebGPUBackend;

  /** @param most values of a chunk at most, where it holds several matrices */
  constructor(
    numbers: MuonNumbers,
    parameters: readonly MuonParameter[],
    most: number = chunkSize(tf.backend() as WebGPUBackend),
  ) {
    this.#numbers = numbers;
    this.#parameters = parameters;
    const sizes = parameters.map(({ variable }) => variable.size);
    this.#chunks = wholeChunks(sizes, most).map(({ size, pieces }) => ({
      size,
      pieces,
      momentum: keptZeros(this.#backend, inFours(size)),
      groups: tf.keep(tf.tensor2d([[size, 1, 0]])),
      batches: batchesOf(pieces, parameters, numbers.adjust),
    }));
    this.slots = parameters.map(({ variable: { shape } }, parameter) => {
      const own = { parameter, name: 'momentum', shape };
      return flatSlot(this.#backend, this.#chunks, parameter, (chunk) => chunk.momentum, own);
    });
  }

  update(gradients: readonly tf.Tensor[], step: Step, scale?: tf.Tensor): void {
    checkGradients('Muon', this.#parameters, gradients);
    const variables = this.#parameters.map(({ variable }) => variable);
    const rule = averageRule(this.#numbers);
    tf.tidy(() => {
      const factor = scale ?? tf.scalar(1);
      updateInChunks(
        this.#backend,
        this.#chunks,
        variables,
        gradients,
        (chunk, value, gradient) => {
          const { momentum, groups, batches, size } = chunk;
          const average = scratch(this.#backend, [inFours(size)]);
          const inputs = { value: average, gradient, scale: factor, groups, momentum };
          runKernel('headwise/Optimize', inputs, { rule, step });
          for (const { places, factors, rows, columns } of batches) {
            const attrs = { ...this.#numbers, learningRate: step.learningRate, rows, columns };
            runKernel('headwise/Orthogonalize', { value, average, places, factors }, attrs);
          }
        },
      );
    });
  }

  dispose(): void {
    for (const { momentum, groups, batches } of this.#chunks) {
      tf.dispose([momentum, groups, batches.map(({ places, factors }) => [places, factors])]);
    }
    this.#chunks.length = 0;
  }
}

/** The matrices of a chunk by their shape. */
function batchesOf(
  pieces: FlatChunk['pieces'],
  parameters: readonly MuonParameter[],
  adjust: MuonAdjustment,
): Batch[] {
  const blocks = pieces.flatMap(({ tensor, at }) =>
    blocksOf(parameters[tensor]!, adjust).map((block) => ({ ...block, start: at + block.start })),
  );
  const shapes = new Map<string, Block[]>();
  for (const block of blocks) {
    const key = `${block.rows} × ${block.columns}`;
    shapes.set(key, [...(shapes.get(key) ?? []), block]);
  }
  return [...shapes.values()].map((alike) => {
    const places = alike.map(({ start, rowStride, columnStride }) => [
      start,
      rowStride,
      columnStride,
    ]);
    const factors = alike.map(({ factor, decay }) => [factor, decay]);
    const { rows, columns } = alike[0]!;
    return {
      places: tf.keep(tf.tensor2d(places, undefined, 'int32')),
      factors: tf.keep(tf.tensor2d(factors)),
      rows,
      columns,
    };
  });
}
