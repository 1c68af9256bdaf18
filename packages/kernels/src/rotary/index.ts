import { checkShape, InputError, ShapeError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { Heads } from '../attention/heads.js';
import { checkOperands, checkType } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { rotaryGradient } from './gradient.js';
import { rotaryReference } from './reference.js';
import type { RotaryLayout, RotaryTables } from './tables.js';
import { type RotaryAttributes, rotaryKernel } from './webgpu.js';

/**
 * Rotary embedding: turns pairs of channels by angles that depend on the position.
 *
 * `(y_a, y_b) = (x_a cos θ − x_b sin θ, x_b cos θ + x_a sin θ)` for the first R channels; the others
 * pass. Fused on WebGPU in one dispatch, forward and backward.
 *
 * @param x `[..., T, Dh]`
 * @param cos `[T, R/2]`, cos θ of each position and pair; `[B, T, R/2]` where sequences have different positions
 * @param sin as `cos`
 * @returns `[..., T, Dh]`
 * @throws ShapeError where the sizes do not fit or one is 0, InputError where a type is not float32
 * @see Su et al. 2021, https://arxiv.org/abs/2104.09864
 */
export function rotary(
  x: tf.Tensor,
  cos: tf.Tensor,
  sin: tf.Tensor,
  layout: RotaryLayout = 'half-split',
): tf.Tensor {
  if (x.rank < 2) {
    throw new ShapeError(`rotary: x has shape [${x.shape.join(', ')}]; expected [..., T, Dh]`);
  }
  checkOperands('rotary', { x });
  checkTables('rotary', { cos, sin }, x.shape);
  if (!hasKernel('headwise/Rotary')) return rotaryReference(x, cos, sin, layout);
  return turned(x, { cos, sin, layout });
}

/** Runs the kernel over `[..., T, Dh]`, or over some heads of `[B, T, N, Dh]`. */
function turned(
  x: tf.Tensor,
  { cos, sin, layout }: RotaryTables,
  heads?: RotaryAttributes['heads'],
): tf.Tensor {
  const attributes: RotaryAttributes = { layout, sign: 1, heads };
  return tf.tidy(() => runKernel('headwise/Rotary', { x, cos, sin }, attributes)[0]!);
}

/** The tensor of heads with those turned; others of it pass. */
const turnedTensor = ({ tensor, place }: Heads, tables: RotaryTables): tf.Tensor =>
  place.order === 'heads-first' ? turned(tensor, tables) : turned(tensor, tables, place);

/**
 * Heads turned where they lie. Call it in a `tf.tidy`.
 *
 * @throws ShapeError and InputError as `rotary` does
 */
export function turnedHeads(x: Heads, tables: RotaryTables): Heads {
  if (!hasKernel('headwise/Rotary')) {
    return Heads.of(rotary(x.headsFirst(), tables.cos, tables.sin, tables.layout));
  }
  checkType('rotary: x', x.tensor, 'float32');
  checkTables('rotary', tables, x.shape);
  return x.in(turnedTensor(x, tables));
}

/** Queries, keys and values, where they lie. */
export type QueriesKeysValues = Record<'q' | 'k' | 'v', Heads>;

/**
 * Queries and keys turned where they lie: in one dispatch where they are heads of one tensor, next to each other; values
 * that lie beside them pass into the new tensor. Call it in a `tf.tidy`.
 *
 * @throws ShapeError and InputError as `rotary` does
 */
export function turnHeads({ q, k, v }: QueriesKeysValues, tables: RotaryTables): QueriesKeysValues {
  for (const [name, { tensor, shape }] of Object.entries({ q, k })) {
    checkType(`rotary: ${name}`, tensor, 'float32');
    checkTables('rotary', tables, shape);
  }
  if (!hasKernel('headwise/Rotary'))
    return { q: turnedHeads(q, tables), k: turnedHeads(k, tables), v };
  const one = (x: Heads) => turnedTensor(x, tables);
  if (q.tensor !== k.tensor) {
    const [ofQ, ofK] = [one(q), one(k)];
    // Values beside keys, or beside queries, go with them.
    const ofV = v.tensor === k.tensor ? ofK : v.tensor === q.tensor ? ofQ : v.tensor;
    return { q: q.in(ofQ), k: k.in(ofK), v: v.in(ofV) };
  }
  const [a, b] = [q.place, k.place];
  if (a.order === 'heads-first' || b.order === 'heads-first') {
    const both = one(q);
    return { q: q.in(both), k: k.in(both), v };
  }
  const first = Math.min(a.first, b.first);
  const count = Math.max(a.first + a.count, b.first + b.count) - first;
  const adjacent = count === a.count + b.count;
  const all = adjacent ? turned(q.tensor, tables, { first, count }) : one(k.in(one(q)));
  return { q: q.in(all), k: k.in(all), v: v.tensor === q.tensor ? v.in(all) : v };
}

/**
 * Throws unless tables fit what they are to turn.
 *
 * @param shape `[B, ..., T, Dh]`, or `[T, Dh]`
 */
export function checkTables(
  op: string,
  { cos, sin }: Pick<RotaryTables, 'cos' | 'sin'>,
  shape: readonly number[],
): void {
  const [length, width] = shape.slice(-2) as [number, number];
  const own = cos.rank === 3 && shape.length > 2 ? [shape[0]!] : [];
  checkShape(`${op}: cos`, cos.shape, [...own, length, 'R/2']);
  checkShape(`${op}: sin`, sin.shape, cos.shape);
  checkOperands(op, { cos, sin });
  const pairs = cos.shape.at(-1)!;
  if (2 * pairs > width) {
    throw new InputError(
      `${op}: cos has ${pairs} pairs of channels; expected at most ${Math.floor(width / 2)} for a width of ${width}`,
    );
  }
}

/** Makes `rotary` use its WebGPU kernel. */
export function registerRotary(): void {
  registerWebGPUKernel('headwise/Rotary', rotaryKernel);
  if (!tf.getGradient('headwise/Rotary')) tf.registerGradient(rotaryGradient);
}
