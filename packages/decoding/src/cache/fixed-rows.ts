import { InputError } from '@headwise/core';
import type { KeysValues } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { kept } from './kept.js';
import { padded, reordered } from './rows.js';

/** Keys and values that are made once for a layer and get no new tokens, as those of cross-attention. */
export class FixedRows {
  readonly #layers = new Map<string, KeysValues>();

  /** The layers that have some. */
  get paths(): string[] {
    return [...this.#layers.keys()];
  }

  /** The number of sequences; undefined where no layer has any. */
  get batch(): number | undefined {
    return [...this.#layers.values()][0]?.k.shape[0];
  }

  /** The memory of all keys and values. */
  get bytes(): number {
    return [...this.#layers.values()].reduce((sum, { k, v }) => sum + 4 * (k.size + v.size), 0);
  }

  /**
   * What a layer has, made where it has none yet.
   *
   * @throws InputError where it is of another number of sequences
   */
  once(path: string, batch: number, make: () => KeysValues): KeysValues {
    let fixed = this.#layers.get(path);
    if (!fixed) {
      fixed = tf.tidy(() => {
        const { k, v } = make();
        return { k: tf.keep(k.clone()), v: tf.keep(v.clone()) };
      });
      this.#layers.set(path, fixed);
    }
    if (fixed.k.shape[0] !== batch) {
      throw new InputError(
        `cache of '${path}': holds ${fixed.k.shape[0]} sequences; asked for ${batch}`,
      );
    }
    return fixed;
  }

  /** Sequence `i` becomes what `order[i]` was. */
  reorder(order: readonly number[]): void {
    for (const [path, old] of this.#layers) {
      this.#layers.set(path, reordered(old, order));
      tf.dispose([old.k, old.v]);
    }
  }

  /** Takes in the sequences of another behind its own; the other one is left empty. */
  join(other: FixedRows): void {
    for (const [path, added] of other.#layers) {
      const held = this.#layers.get(path);
      this.#layers.set(path, held ? joined(held, added) : added);
      if (held) tf.dispose([held.k, held.v, added.k, added.v]);
    }
    other.#layers.clear();
  }

  dispose(): void {
    for (const { k, v } of this.#layers.values()) tf.dispose([k, v]);
    this.#layers.clear();
  }
}

/** The sequences of both, the shorter ones with zeros behind them. */
function joined(first: KeysValues, second: KeysValues): KeysValues {
  const length = Math.max(first.k.shape[2]!, second.k.shape[2]!);
  const both = (which: keyof KeysValues) =>
    kept(() => tf.concat([first, second].map((one) => padded(one[which], length))));
  return { k: both('k'), v: both('v') };
}
