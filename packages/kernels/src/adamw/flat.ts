import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { type FlatChunk, flatChunks } from '../dispatch/flat.js';
import { runKernel } from '../dispatch/register.js';
import {
  type Copy,
  chunkSize,
  copyValues,
  packing,
  reversed,
  scratch,
  unshare,
  zeros,
} from '../dispatch/transfer.js';
import {
  type AdamWParameter,
  type AdamWState,
  type AdamWStep,
  checkGradients,
  type Moments,
} from './state.js';

interface Chunk extends FlatChunk {
  m: tf.Tensor;
  v: tf.Tensor;
  /** How many of its values, the first ones, weight decay shrinks. */
  decaying: number;
}

/**
 * AdamW over flat moments: parameters and gradients are copied side by side, updated in one dispatch
 * for each chunk, and the parameters copied back. Copies between buffers are not dispatches.
 */
export class FlatAdamW implements AdamWState {
  readonly #parameters: readonly AdamWParameter[];
  /** The numbers of the parameters in the flat order: those that decay come first. */
  readonly #order: readonly number[];
  readonly #chunks: Chunk[];
  readonly #backend = tf.backend() as WebGPUBackend;

  /** @param most values of a chunk at most */
  constructor(
    parameters: readonly AdamWParameter[],
    most: number = chunkSize(tf.backend() as WebGPUBackend),
  ) {
    this.#parameters = parameters;
    const numbers = parameters.map((_, i) => i);
    const decays = (i: number) => parameters[i]!.decays;
    this.#order = [...numbers.filter(decays), ...numbers.filter((i) => !decays(i))];
    const moment = (size: number) =>
      tf.keep(tf.engine().makeTensorFromTensorInfo(zeros(this.#backend, [size])));
    const sizes = this.#order.map((i) => parameters[i]!.variable.size);
    this.#chunks = flatChunks(sizes, most).map(({ size, pieces }) => {
      const decaying = pieces
        .filter(({ tensor }) => decays(this.#order[tensor]!))
        .reduce((sum, piece) => sum + piece.size, 0);
      return { size, pieces, m: moment(size), v: moment(size), decaying };
    });
  }

  update(gradients: readonly tf.Tensor[], step: AdamWStep, scale?: tf.Tensor): void {
    checkGradients(this.#parameters, gradients);
    const variables = this.#order.map((i) => this.#parameters[i]!.variable);
    const before = variables.map(({ dataId, shape, dtype }) => ({ dataId, shape, dtype }));
    const ordered = this.#order.map((i) => gradients[i]!);
    for (const variable of variables) unshare(this.#backend, variable);
    tf.tidy(() => {
      const factor = scale ?? tf.scalar(1);
      for (const { size, pieces, m, v, decaying } of this.#chunks) {
        tf.tidy(() => {
          const [p, g] = [scratch(this.#backend, [size]), scratch(this.#backend, [size])];
          copyValues(this.#backend, [
            ...packing(pieces, before, p),
            ...packing(pieces, ordered, g),
          ]);
          runKernel('headwise/AdamW', { p, m, v, g, scale: factor }, { ...step, decaying });
          copyValues(this.#backend, packing(pieces, variables, p).map(reversed));
        });
      }
    });
  }

  moments(parameter: number): Moments {
    const { shape } = this.#parameters[parameter]!.variable;
    const copies = { m: scratch(this.#backend, shape), v: scratch(this.#backend, shape) };
    copyValues(this.#backend, this.#packing(parameter, copies).map(reversed));
    return copies;
  }

  setMoments(parameter: number, moments: Moments): void {
    copyValues(this.#backend, this.#packing(parameter, moments));
  }

  dispose(): void {
    for (const { m, v } of this.#chunks) tf.dispose([m, v]);
    this.#chunks.length = 0;
  }

  /** The copies that bring one parameter's moments into the chunks. */
  #packing(parameter: number, moments: Moments): Copy[] {
    return this.#chunks.flatMap((chunk) => {
      const own = chunk.pieces.filter(({ tensor }) => this.#order[tensor] === parameter);
      return (['m', 'v'] as const).flatMap((moment) =>
        packing(
          own,
          this.#order.map(() => moments[moment]),
          chunk[moment],
        ),
      );
    });
  }
}
