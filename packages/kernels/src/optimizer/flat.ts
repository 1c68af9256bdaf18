import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { type FlatChunk, flatChunks } from '../dispatch/flat.js';
import { runKernel } from '../dispatch/register.js';
import { smallChunkSize } from '../dispatch/transfer.js';
import { flatSlot, keptZeros, updateInChunks } from './chunks.js';
import { groupEnds, groupOrder } from './groups.js';
import type { Rule, Step } from './rule.js';
import {
  checkGradients,
  type OptimizerParameter,
  type OptimizerState,
  type Slot,
} from './state.js';
import { inFours } from './webgpu.js';

interface Chunk extends FlatChunk {
  /** What is kept of its values, by slot. */
  kept: Record<string, tf.Tensor>;
  /** Where the groups of equal rate and decay end in it, `[G, 3]`. */
  groups: tf.Tensor;
}

/** The state of a rule over flat slots, which updates all values of a chunk in one dispatch. */
export class FlatState implements OptimizerState {
  readonly slots: readonly Slot[];
  readonly #rule: Rule;
  readonly #parameters: readonly OptimizerParameter[];
  /** The numbers of the parameters in the flat order: those of one group follow each other. */
  readonly #order: readonly number[];
  readonly #chunks: Chunk[];
  readonly #backend = tf.backend() as WebGPUBackend;

  /** @param most values of a chunk at most; default `smallChunkSize` */
  constructor(rule: Rule, parameters: readonly OptimizerParameter[], most?: number) {
    this.#rule = rule;
    this.#parameters = parameters;
    this.#order = groupOrder(parameters);
    const ordered = this.#order.map((i) => parameters[i]!);
    const sizes = ordered.map(({ variable }) => variable.size);
    const total = sizes.reduce((a, b) => a + b);
    this.#chunks = flatChunks(sizes, most ?? smallChunkSize(this.#backend, total)).map(
      ({ size, pieces }) => {
        const kept = rule.slots.map((name) => [name, keptZeros(this.#backend, inFours(size))]);
        const groups = tf.keep(groupEnds(pieces, ordered));
        return { size, pieces, kept: Object.fromEntries(kept), groups };
      },
    );
    this.slots = this.#order.flatMap((parameter, place) =>
      rule.slots.map((name) => {
        const { shape } = parameters[parameter]!.variable;
        const own = { parameter, name, shape };
        return flatSlot(this.#backend, this.#chunks, place, ({ kept }) => kept[name]!, own);
      }),
    );
  }

  update(gradients: readonly tf.Tensor[], step: Step, scale?: tf.Tensor): void {
    checkGradients(this.#rule.name, this.#parameters, gradients);
    const variables = this.#order.map((i) => this.#parameters[i]!.variable);
    const ordered = this.#order.map((i) => gradients[i]!);
    const attrs = { rule: this.#rule, step };
    tf.tidy(() => {
      const factor = scale ?? tf.scalar(1);
      updateInChunks(
        this.#backend,
        this.#chunks,
        variables,
        ordered,
        ({ kept, groups }, value, gradient) => {
          const inputs = { value, gradient, scale: factor, groups, ...kept };
          runKernel('headwise/Optimize', inputs, attrs);
        },
      );
    });
  }

  dispose(): void {
    for (const { kept, groups } of this.#chunks) tf.dispose([kept, groups]);
    this.#chunks.length = 0;
  }
}
