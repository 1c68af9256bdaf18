import { checkShape, InputError, type RecurrentMemory } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { LeakWarning } from './leak.js';

/**
 * The last `M` hidden states of earlier segments, one entry per layer, keyed by the layer's path.
 *
 * No gradient passes into it. It owns its tensors and is freed by `dispose`.
 *
 * @see Dai et al. 2019 (Transformer-XL), https://arxiv.org/abs/1901.02860
 * @example
 * const memory = new SegmentMemory(128);
 * for (const segment of segments) model.forward(segment, { memory });
 * memory.dispose();
 */
export class SegmentMemory implements RecurrentMemory {
  readonly #states = new Map<string, tf.Tensor>();
  readonly #leak = new LeakWarning(this, 'SegmentMemory');
  #disposed = false;

  /**
   * @param maxLength `M`
   * @throws InputError unless it is a whole number of at least 1
   */
  constructor(readonly maxLength: number) {
    if (!(Number.isInteger(maxLength) && maxLength >= 1)) {
      throw new InputError(
        `SegmentMemory: maxLength is ${maxLength}; expected a whole number of at least 1`,
      );
    }
  }

  /** `[B, ≤ M, D]`, what a layer keeps of the segments before; undefined in the first. The memory owns it. */
  read(path: string): tf.Tensor | undefined {
    this.#checkUsable(path);
    return this.#states.get(path);
  }

  /**
   * Puts the hidden states of a segment behind those that are kept, and keeps the last `M`.
   *
   * @param hidden `[B, T, D]`
   * @throws ShapeError where batch or width differ from what is kept; InputError after `dispose`
   */
  write(path: string, hidden: tf.Tensor): void {
    this.#checkUsable(path);
    const old = this.#states.get(path);
    const [batch, , width] = old?.shape ?? ['B', 'T', 'D'];
    checkShape(`memory of '${path}': hidden`, hidden.shape, [batch!, 'T', width!]);
    const next = tf.tidy(() => {
      const all = old ? tf.concat([old, withoutGradient(hidden)], 1) : withoutGradient(hidden);
      const [b, length, d] = all.shape as [number, number, number];
      const most = Math.min(length, this.maxLength);
      return tf.keep(all.slice([0, length - most, 0], [b, most, d]));
    });
    old?.dispose();
    this.#states.set(path, next);
    this.#leak.holds(this.#states.size);
  }

  /** Frees every state. */
  dispose(): void {
    tf.dispose([...this.#states.values()]);
    this.#states.clear();
    this.#leak.over();
    this.#disposed = true;
  }

  #checkUsable(path: string): void {
    if (this.#disposed) throw new InputError(`memory of '${path}': used after it was disposed`);
  }
}

function withoutGradient(x: tf.Tensor): tf.Tensor {
  return tf.customGrad((x) => ({
    value: (x as tf.Tensor).clone(),
    gradFunc: () => tf.zerosLike(x as tf.Tensor),
  }))(x);
}
