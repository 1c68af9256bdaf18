import * as tf from '@tensorflow/tfjs';
import { InputError, ShapeError } from './errors.js';
import type { Initializer } from './initializers.js';
import { hashText, Random } from './random.js';
import { sizeOf } from './shapes.js';

/** Where parameters come from instead of their initialisers: a checkpoint. */
export interface ParamSource {
  /**
   * The values of a parameter, row-major.
   *
   * @throws InputError where the source does not hold it in this shape
   */
  read(path: string, shape: readonly number[]): Float32Array;
}

interface Owner {
  readonly source: ParamSource | undefined;
  readonly seed: number;
  readonly variables: Map<string, tf.Variable>;
  disposed: boolean;
}

/**
 * Owns every parameter of a model; layers borrow from it by path, and it alone disposes.
 *
 * Asking twice for one path gives the same variable: that is how weights are tied. Every parameter
 * is initialised from a generator of its own, seeded by the store's seed and the path, so that
 * adding a layer does not change the others.
 *
 * @example
 * const params = new ParamStore({ seed: 1 });
 * const weight = params.at('head').get('weight', [128, 64], normal(0.02));
 * params.named(); // { 'head.weight': weight }
 */
export class ParamStore {
  #owner: Owner;
  #path = '';

  /**
   * @param options `seed` of the initialisers, default 0; `source` of the values instead of them
   * @throws InputError where the seed is no integer
   */
  constructor({ seed = 0, source }: { seed?: number; source?: ParamSource | undefined } = {}) {
    if (!Number.isSafeInteger(seed)) {
      throw new InputError(`the seed of parameters must be an integer; got ${seed}`);
    }
    this.#owner = { source, seed, variables: new Map(), disposed: false };
  }

  /** The path that `get` and `at` go on from; empty at the root. */
  get path(): string {
    return this.#path;
  }

  /** The same store with a longer path. */
  at(name: string | number): ParamStore {
    const below = new ParamStore();
    below.#owner = this.#owner;
    below.#path = this.#join(String(name));
    return below;
  }

  /**
   * The parameter of this name below this path, made or loaded when first asked for.
   *
   * @throws ShapeError where it exists in another shape
   */
  get(name: string, shape: readonly number[], init: Initializer): tf.Variable {
    const path = this.#join(name);
    const { variables, source, seed, disposed } = this.#owner;
    if (disposed) throw new InputError(`parameter '${path}' was asked of a disposed store`);
    const existing = variables.get(path);
    if (existing) {
      if (existing.shape.join() !== shape.join()) {
        throw new ShapeError(
          `parameter '${path}' has shape [${existing.shape.join(', ')}]; asked for [${shape.join(', ')}]`,
        );
      }
      return existing;
    }
    const values = source
      ? source.read(path, shape)
      : init(shape, new Random(hashText(`${seed}/${path}`)));
    if (values.length !== sizeOf(shape)) {
      throw new ShapeError(
        `parameter '${path}' has shape [${shape.join(', ')}], ${sizeOf(shape)} values; got ${values.length}`,
      );
    }
    const variable = tf.tidy(() => tf.variable(tf.tensor(values, [...shape], 'float32')));
    variables.set(path, variable);
    return variable;
  }

  /** Every parameter made so far below this path, by its full path, in the order of making. */
  named(): Record<string, tf.Variable> {
    const below = this.path === '' ? '' : `${this.path}.`;
    return Object.fromEntries(
      [...this.#owner.variables].filter(([path]) => path.startsWith(below)),
    );
  }

  /** The number of values in all parameters below this path. */
  count(): number {
    return Object.values(this.named()).reduce((sum, variable) => sum + variable.size, 0);
  }

  /** Frees every parameter of the whole store. */
  dispose(): void {
    for (const variable of this.#owner.variables.values()) variable.dispose();
    this.#owner.variables.clear();
    this.#owner.disposed = true;
  }

  #join(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }
}
