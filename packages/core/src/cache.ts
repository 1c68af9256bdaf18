import * as tf from '@tensorflow/tfjs';
import { InputError } from './errors.js';
import { checkShape } from './shapes.js';

/** Keys and values of one attention layer, `[B, H, T, Dh]` each. */
export interface KeysAndValues {
  k: tf.Tensor;
  v: tf.Tensor;
}

/**
 * Keeps the keys and values of past tokens while generating, one entry a layer, keyed by its path.
 *
 * It owns its tensors: they outlive every `tf.tidy` and are freed by `dispose`.
 */
export class KeyValueCache {
  readonly #entries = new Map<string, KeysAndValues>();
  #disposed = false;

  /** The number of tokens that every layer has seen: the position of the next one. */
  get length(): number {
    const lengths = [...this.#entries.values()].map(({ k }) => k.shape[2]!);
    return lengths.length === 0 ? 0 : Math.min(...lengths);
  }

  /** The number of tokens that one layer has seen. */
  lengthOf(path: string): number {
    return this.#entries.get(path)?.k.shape[2] ?? 0;
  }

  /**
   * Appends the keys and values of new tokens to a layer's.
   *
   * @param k `[B, H, T, Dh]`, v the same
   * @returns all keys and values of the layer, old and new; the cache owns them
   * @throws ShapeError where batch, heads or width differ from what is cached
   */
  append(path: string, k: tf.Tensor, v: tf.Tensor): KeysAndValues {
    if (this.#disposed) throw new InputError(`layer '${path}' appends to a disposed cache`);
    checkShape(`cache of '${path}': v`, v.shape, k.shape);
    const old = this.#entries.get(path);
    if (!old) {
      const first = { k: tf.keep(k.clone()), v: tf.keep(v.clone()) };
      this.#entries.set(path, first);
      return first;
    }
    const [b, h, , dh] = old.k.shape;
    checkShape(`cache of '${path}': k`, k.shape, [b!, h!, 'T', dh!]);
    const all = {
      k: tf.keep(tf.concat([old.k, k], 2)),
      v: tf.keep(tf.concat([old.v, v], 2)),
    };
    tf.dispose([old.k, old.v]);
    this.#entries.set(path, all);
    return all;
  }

  /** Frees every key and value. */
  dispose(): void {
    for (const { k, v } of this.#entries.values()) tf.dispose([k, v]);
    this.#entries.clear();
    this.#disposed = true;
  }
}
