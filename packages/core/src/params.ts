import * as tf from '@tensorflow/tfjs';
import { quoted } from './choice.js';
import { InputError, ShapeError } from './errors.js';
import { type FirstValues, givenValues, initialValues } from './first-values.js';
import type { Initializer } from './initializers.js';
import type { ForwardContext } from './layer.js';
import type { Matrix, MatrixLayout, PackedParam, Packer, Packing } from './matrix.js';
import { sizeOf } from './shapes.js';
import { writesOf } from './writes.js';

/** A source of parameter values, such as a checkpoint; used in place of initialisers. */
export interface ParamSource {
  /**
   * The values of a parameter, row-major.
   *
   * @throws InputError where the source does not hold it in this shape
   */
  read(path: string, shape: readonly number[]): Float32Array;
}

/** Called for each parameter that a deferred store plans; an error that it throws reaches the layer that asked for the parameter. */
export type Deferral = (path: string, shape: readonly number[]) => void;

/** Reads a parameter in a forward pass: an adapter's copy where the context has one, else the model's own. */
export type AdaptableParam<T extends tf.Tensor = tf.Tensor> = (ctx?: ForwardContext) => T;

interface Owner {
  readonly shapesOnly: boolean;
  readonly deferred: Deferral | undefined;
  /** Initialisers of the parameters that have no values yet. */
  readonly waiting: Map<string, Initializer>;
  /** Parameters that a layer holds as variables, and that are therefore never packed. */
  readonly held: Set<string>;
  /** Parameters that adapters may exchange for copies of their own. */
  readonly adaptable: Set<string>;
  readonly source: ParamSource | undefined;
  readonly packing: Packing | undefined;
  readonly seed: number;
  readonly variables: Map<string, tf.Variable>;
  readonly matrices: Map<string, Matrix>;
  disposed: boolean;
}

/** Where the results of `named` come from. */
const stores = new WeakMap<object, ParamStore>();

/**
 * The paths of the packed matrices that `named` left out of its result; training that result trains only a part of the
 * model.
 *
 * @param params a result of `ParamStore.named`; empty for any other record, whose parameters were chosen by the caller
 */
export function packedBeside(params: object): string[] {
  const matrices = stores.get(params)?.matrices() ?? {};
  return Object.keys(matrices).filter((path) => matrices[path]!.packed);
}

/** The matrices that variables are of. */
const matricesOfVariables = new WeakMap<tf.Variable, Matrix>();

/** What a variable is the weight or the table of; undefined for one that no store has made as a matrix. */
export const matrixOf = (variable: tf.Variable): Matrix | undefined =>
  matricesOfVariables.get(variable);

interface Ranks {
  0: tf.Rank.R0;
  1: tf.Rank.R1;
  2: tf.Rank.R2;
  3: tf.Rank.R3;
  4: tf.Rank.R4;
}

/** The rank of a tensor with this shape; any rank where the number of axes is not known to the compiler. */
export type RankOf<S extends readonly number[]> = number extends S['length']
  ? tf.Rank
  : S['length'] extends keyof Ranks
    ? Ranks[S['length']]
    : tf.Rank;

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
  #place = '';

  /**
   * @param options `seed` of the initialisers, default 0; `source` of the values instead of them;
   * `packing` of the matrices, default none; `deferred` is told of each parameter, which has a shape alone
   * until `fill` gives it values, and must not be used before; `shapesOnly`: no parameter has values ever, and no
   * tensor is made, so that a model of any size can be counted
   * @throws InputError where the seed is not an integer or `packing` is not a function
   */
  constructor({
    seed = 0,
    source,
    packing,
    deferred,
    shapesOnly = false,
  }: {
    seed?: number | undefined;
    source?: ParamSource | undefined;
    packing?: Packing | undefined;
    deferred?: Deferral | undefined;
    shapesOnly?: boolean | undefined;
  } = {}) {
    if (!Number.isSafeInteger(seed)) {
      throw new InputError(`the seed of parameters must be an integer; got ${seed}`);
    }
    if (packing !== undefined && typeof packing !== 'function') {
      throw new InputError(`ParamStore: packing is ${quoted(packing)}; expected a function`);
    }
    this.#owner = {
      shapesOnly,
      deferred,
      waiting: new Map(),
      held: new Set(),
      adaptable: new Set(),
      source,
      packing,
      seed,
      variables: new Map(),
      matrices: new Map(),
      disposed: false,
    };
  }

  /** The path that `get` and `at` go on from; empty at the root. */
  get path(): string {
    return this.#path;
  }

  /**
   * Where a layer with these parameters stands in the model: what its taps and its cache are named by. The path, except where
   * several layers share parameters.
   */
  get place(): string {
    return this.#place;
  }

  /**
   * The same store with a longer path.
   *
   * @param place the last part of `place`, where it is another, as that of a layer with the parameters of another one
   */
  at(name: string | number, place: string | number = name): ParamStore {
    const below = new ParamStore();
    below.#owner = this.#owner;
    below.#path = this.#join(String(name));
    below.#place = this.#place === '' ? String(place) : `${this.#place}.${place}`;
    return below;
  }

  /**
   * The parameter of this name below this path, made or loaded when first asked for.
   *
   * @throws ShapeError where it exists in another shape
   */
  get<const S extends readonly number[]>(
    name: string,
    shape: S,
    init: Initializer,
  ): tf.Variable<RankOf<S>> {
    const path = this.#join(name);
    const { variables, matrices, held } = this.#owner;
    held.add(path);
    if (matrices.get(path)?.packed) {
      throw new InputError(`parameter '${path}' is packed; asked for its values in float32`);
    }
    const existing = variables.get(path);
    if (!existing) return this.#make(path, shape, init);
    checkAsked(path, existing.shape, shape);
    return ranked(existing, shape);
  }

  /**
   * Like `get`, for a parameter that the context's adapters may exchange for a copy of their own.
   *
   * @returns what gives the parameter to use in a forward
   * @throws ShapeError where it exists in another shape
   */
  adaptable<const S extends readonly number[]>(
    name: string,
    shape: S,
    init: Initializer,
  ): AdaptableParam<tf.Tensor<RankOf<S>>> {
    const variable = this.get(name, shape, init);
    const path = this.#join(name);
    this.#owner.adaptable.add(path);
    return (ctx) =>
      (ctx?.adapters?.parameter?.(path) as tf.Tensor<RankOf<S>> | undefined) ?? variable;
  }

  /** Whether adapters may exchange a parameter, by its full path. */
  isAdaptable(path: string): boolean {
    return this.#owner.adaptable.has(path);
  }

  /**
   * The weight of a linear map: like `get`, but it may be kept packed, now or later.
   *
   * The matrix is to be asked for its form in every forward.
   *
   * @param parts the outputs of each map, where several lie side by side in it
   * @param routed whether each row of an input is multiplied with one of the parts alone
   * @throws ShapeError where it exists in another shape
   */
  matrix(
    name: string,
    shape: readonly [number, number],
    layout: MatrixLayout,
    init: Initializer,
    parts?: readonly number[],
    routed?: boolean,
  ): Matrix {
    return this.#matrix(name, shape, { layout, table: false, parts, routed }, init);
  }

  /**
   * The table of an embedding, `[count, dim]`: like `matrix` in the layout `out-in`, so that an output head can share it.
   *
   * @throws ShapeError where it exists in another shape
   */
  table(name: string, shape: readonly [number, number], init: Initializer): Matrix {
    return this.#matrix(name, shape, { layout: 'out-in', table: true }, init);
  }

  #matrix(
    name: string,
    shape: readonly [number, number],
    form: Pick<Matrix, 'layout' | 'table' | 'parts' | 'routed'>,
    init: Initializer,
  ): Matrix {
    const path = this.#join(name);
    const { variables, matrices, packing, deferred, adaptable } = this.#owner;
    adaptable.add(path);
    const existing = matrices.get(path);
    if (existing) {
      checkAsked(path, (existing.variable ?? existing.packed!).shape, shape);
      return existing;
    }
    let matrix: Matrix;
    if (variables.has(path)) {
      matrix = { ...form, variable: this.get(name, shape, init) };
    } else if (!packing || deferred || this.#owner.shapesOnly) {
      matrix = { ...form, variable: this.#make(path, shape, init) };
    } else {
      const values = this.#first(path, shape, init);
      const packer = packing(path, shape, form.layout);
      matrix = packer
        ? { ...form, packed: packedBy(packer, values) }
        : { ...form, variable: this.#keep(path, shape, values) };
    }
    if (matrix.variable) matricesOfVariables.set(matrix.variable, matrix);
    matrices.set(path, matrix);
    return matrix;
  }

  /** The weights of linear maps and the tables made so far below this path, by their full path. */
  matrices(): Record<string, Matrix> {
    return this.#below(this.#owner.matrices);
  }

  /**
   * Keeps a matrix packed from now on; its variable is freed.
   *
   * @param path the full one
   * @throws InputError where there is no such variable; ShapeError where the shapes differ
   */
  pack(path: string, packed: PackedParam): void {
    const { variables, matrices } = this.#owner;
    const matrix = matrices.get(path) as {
      variable?: tf.Variable | undefined;
      packed?: PackedParam | undefined;
    };
    if (!matrix?.variable) {
      throw new InputError(`'${path}' is not a matrix that could be packed`);
    }
    checkAsked(path, matrix.variable.shape, packed.shape);
    matrix.variable.dispose();
    variables.delete(path);
    delete matrix.variable;
    matrix.packed = packed;
  }

  /** The paths of the parameters that have no values yet, in the order of making. */
  waiting(): string[] {
    return [...this.#owner.waiting.keys()];
  }

  /**
   * Whether a parameter waits for its values and may be given them packed: a matrix that no layer holds as a variable.
   *
   * @param path the full one
   */
  isPackable(path: string): boolean {
    const { matrices, held, waiting } = this.#owner;
    return matrices.get(path)?.variable !== undefined && !held.has(path) && waiting.has(path);
  }

  /**
   * Packs the values of a parameter that waits for them; undefined for one that is not packed.
   *
   * @param path the full one
   */
  packer(path: string): Packer | undefined {
    const { packing, matrices } = this.#owner;
    if (!this.isPackable(path)) return undefined;
    const { variable, layout } = matrices.get(path)!;
    return packing?.(path, variable!.shape, layout);
  }

  /**
   * Gives a parameter of a deferred store its values.
   *
   * @param path the full one
   * @param values row-major; a tensor, which stays the caller's; or what `packer` has packed; default the initialiser's
   * @throws InputError where it has values already, or does not exist; ShapeError where they are more or fewer
   */
  fill(path: string, values?: Float32Array | tf.Tensor | PackedParam): void {
    const { waiting, variables } = this.#owner;
    const init = waiting.get(path);
    const variable = variables.get(path);
    if (!init || !variable)
      throw new InputError(
        variable
          ? `parameter '${path}' has its values already; change them with assign on its variable`
          : `parameter '${path}' does not exist`,
      );
    const { shape } = variable;
    if (values instanceof tf.Tensor) {
      checkAsked(path, values.shape, shape);
      variable.assign(values);
    } else if (values === undefined || values instanceof Float32Array) {
      const first = values ? givenValues(path, shape, values) : this.#first(path, shape, init);
      const packer = this.packer(path);
      if (packer) this.pack(path, packedBy(packer, first));
      else tf.tidy(() => variable.assign(first.tensor()));
    } else {
      this.pack(path, values);
    }
    waiting.delete(path);
  }

  #make<S extends readonly number[]>(
    path: string,
    shape: S,
    init: Initializer,
  ): tf.Variable<RankOf<S>> {
    checkSizes(path, shape);
    const { deferred, waiting, variables, disposed, shapesOnly } = this.#owner;
    if (shapesOnly) {
      const planned = shapeAlone(shape);
      variables.set(path, planned);
      return ranked(planned, shape);
    }
    if (!deferred) return this.#keep(path, shape, this.#first(path, shape, init));
    if (disposed) throw new InputError(`parameter '${path}' was asked of a disposed store`);
    deferred(path, shape);
    waiting.set(path, init);
    const variable = withoutMemory(shape);
    variables.set(path, variable);
    return ranked(variable, shape);
  }

  #first(path: string, shape: readonly number[], init: Initializer): FirstValues {
    const { source, seed, disposed } = this.#owner;
    if (disposed) throw new InputError(`parameter '${path}' was asked of a disposed store`);
    return source
      ? givenValues(path, shape, source.read(path, shape))
      : initialValues(path, shape, init, seed);
  }

  #keep<S extends readonly number[]>(
    path: string,
    shape: S,
    values: FirstValues,
  ): tf.Variable<RankOf<S>> {
    const variable = tf.tidy(() => tf.variable(values.tensor()));
    this.#owner.variables.set(path, variable);
    return ranked(variable, shape);
  }

  /** Every parameter made so far below this path, by its full path, in the order of making; packed ones are left out. */
  named(): Record<string, tf.Variable> {
    const named = this.#below(this.#owner.variables);
    stores.set(named, this);
    return named;
  }

  /**
   * What the parameters below this path hold now: equal, element by element, until one of them is added, assigned, trained or packed.
   *
   * What was computed from them holds as long.
   */
  state(): readonly unknown[] {
    const variables = Object.values(this.#below(this.#owner.variables));
    const packed = Object.values(this.matrices()).flatMap((matrix) => matrix.packed ?? []);
    return [...variables.flatMap((one) => [one.dataId, writesOf(one)]), ...packed];
  }

  /** The number of values in all parameters below this path, packed ones included. */
  count(): number {
    const packed = Object.values(this.matrices()).flatMap((matrix) => matrix.packed ?? []);
    const shapes = [...Object.values(this.named()), ...packed].map(({ shape }) => shape);
    return shapes.reduce((sum, shape) => sum + sizeOf(shape), 0);
  }

  /** Frees every parameter of the whole store. */
  dispose(): void {
    const { variables, matrices } = this.#owner;
    for (const variable of variables.values()) variable.dispose();
    for (const { packed } of matrices.values()) packed?.dispose();
    variables.clear();
    matrices.clear();
    this.#owner.disposed = true;
  }

  #below<T>(all: ReadonlyMap<string, T>): Record<string, T> {
    const below = this.path === '' ? '' : `${this.path}.`;
    return Object.fromEntries([...all].filter(([path]) => path.startsWith(below)));
  }

  #join(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }
}

/** A variable of this shape, with its rank as a type: TensorFlow.js does not derive it from a shape. */
const ranked = <S extends readonly number[]>(
  variable: tf.Variable,
  _shape: S,
): tf.Variable<RankOf<S>> => variable as tf.Variable<RankOf<S>>;

function packedBy(packer: Packer, values: FirstValues): PackedParam {
  // The host looks at values that may be too large, one by one.
  if (!values.bounded || !packer.addTensor) packer.add(values.array());
  else tf.tidy(() => packer.addTensor?.(values.tensor()));
  return packer.finish();
}

/** Placeholder for a variable that is never read. */
const shapeAlone = (shape: readonly number[]): tf.Variable =>
  ({
    shape: [...shape],
    dtype: 'float32',
    rank: shape.length,
    dispose() {},
  }) as unknown as tf.Variable;

/** A variable that has the memory of one number, whatever its shape, until it is assigned. */
function withoutMemory(shape: readonly number[]): tf.Variable {
  return tf.tidy(() => {
    const { dataId, dtype } = tf.scalar(0);
    tf.backend().incRef(dataId);
    return tf.variable(tf.engine().makeTensorFromTensorInfo({ dataId, dtype, shape: [...shape] }));
  });
}

/** A size that is missing or not an integer. */
function checkSizes(path: string, shape: readonly number[]): void {
  if (shape.every((size) => Number.isSafeInteger(size) && size >= 1)) return;
  throw new ShapeError(
    `parameter '${path}' has shape [${shape.map(String).join(', ')}]; expected whole numbers of at least 1`,
  );
}

function checkAsked(path: string, shape: readonly number[], asked: readonly number[]): void {
  if (shape.join() === asked.join()) return;
  throw new ShapeError(
    `parameter '${path}' has shape [${shape.join(', ')}]; asked for [${asked.join(', ')}]`,
  );
}
