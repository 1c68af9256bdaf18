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
import { groupEnds, groupOrder } from './groups.js';
import type { Rule, Step } from './rule.js';
import {
  checkGradients,
  type OptimizerParameter,
  type OptimizerState,
  type Slot,
} from './state.js';

interface Chunk extends FlatChunk {
  /** What is kept of its values, by slot. */
  kept: Record<string, tf.Tensor>;
  /** Where the groups of equal rate and decay end in it, `[G, 3]`. */
  groups: tf.Tensor;
}

/**
 * The state of a rule over flat slots: parameters and gradients are copied side by side, updated in one dispatch for each
 * chunk, and the parameters copied back. Copies between buffers are not dispatches.
 */
export class FlatState implements OptimizerState {
  readonly slots: readonly Slot[];
  readonly #rule: Rule;
  readonly #parameters: readonly OptimizerParameter[];
  /** The numbers of the parameters in the flat order: those of one group follow each other. */
  readonly #order: readonly number[];
  readonly #chunks: Chunk[];
  readonly #backend = tf.backend() as WebGPUBackend;

  /** @param most values of a chunk at most */
  constructor(
    rule: Rule,
    parameters: readonly OptimizerParameter[],
    most: number = chunkSize(tf.backend() as WebGPUBackend),
  ) {
    this.#rule = rule;
    this.#parameters = parameters;
    this.#order = groupOrder(parameters);
    const ordered = this.#order.map((i) => parameters[i]!);
    const none = (size: number) =>
      tf.keep(tf.engine().makeTensorFromTensorInfo(zeros(this.#backend, [size])));
    const sizes = ordered.map(({ variable }) => variable.size);
    this.#chunks = flatChunks(sizes, most).map(({ size, pieces }) => {
      const kept = Object.fromEntries(rule.slots.map((name) => [name, none(size)]));
      return { size, pieces, kept, groups: tf.keep(groupEnds(pieces, ordered)) };
    });
    this.slots = parameters.flatMap(({ variable: { shape } }, parameter) =>
      rule.slots.map((name) => this.#slot(parameter, name, shape)),
    );
  }

  update(gradients: readonly tf.Tensor[], step: Step, scale?: tf.Tensor): void {
    checkGradients(this.#rule.name, this.#parameters, gradients);
    const variables = this.#order.map((i) => this.#parameters[i]!.variable);
    const before = variables.map(({ dataId, shape, dtype }) => ({ dataId, shape, dtype }));
    const ordered = this.#order.map((i) => gradients[i]!);
    const attrs = { rule: this.#rule, step };
    for (const variable of variables) unshare(this.#backend, variable);
    tf.tidy(() => {
      const factor = scale ?? tf.scalar(1);
      for (const { size, pieces, kept, groups } of this.#chunks) {
        tf.tidy(() => {
          const [value, gradient] = [
            scratch(this.#backend, [size]),
            scratch(this.#backend, [size]),
          ];
          copyValues(this.#backend, [
            ...packing(pieces, before, value),
            ...packing(pieces, ordered, gradient),
          ]);
          runKernel(
            'headwise/Optimize',
            { value, gradient, scale: factor, groups, ...kept },
            attrs,
          );
          copyValues(this.#backend, packing(pieces, variables, value).map(reversed));
        });
      }
    });
  }

  dispose(): void {
    for (const { kept, groups } of this.#chunks) tf.dispose([kept, groups]);
    this.#chunks.length = 0;
  }

  #slot(parameter: number, name: string, shape: number[]): Slot {
    return {
      parameter,
      name,
      shape,
      read: () => {
        const values = scratch(this.#backend, shape);
        copyValues(this.#backend, this.#packing(parameter, name, values).map(reversed));
        return values;
      },
      write: (values) => copyValues(this.#backend, this.#packing(parameter, name, values)),
    };
  }

  /** The copies that bring what is kept of one parameter into the chunks. */
  #packing(parameter: number, name: string, values: tf.TensorInfo): Copy[] {
    const given = this.#order.map(() => values);
    return this.#chunks.flatMap(({ pieces, kept }) => {
      const own = pieces.filter(({ tensor }) => this.#order[tensor] === parameter);
      return packing(own, given, kept[name]!);
    });
  }
}
