import { InputError } from '@headwise/core';
import { refuse } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import {
  b,
  type Condition,
  type FloatExpression,
  h,
  type IntExpression,
  k,
  q,
} from '../expression/expression.js';

/** A tensor that a mask reads, and the shape that it must have. */
export interface MaskInput {
  /** `padding: lengths` */
  readonly what: string;
  readonly tensor: tf.Tensor;
  /** Of `B`, `H`, `Tq` and `Tk`; a size of 1 is accepted where the axis is in brackets: `[H]`. */
  readonly shape: readonly string[];
}

/** Which keys a query may see: a value, not a tensor, so that kernels can skip what is hidden. */
export interface Mask {
  /** What it is, for messages: `and(causal, slidingWindow(256))`. */
  readonly name: string;
  /** Holds where the query sees the key; undefined: everywhere. */
  readonly condition?: Condition | undefined;
  /** Added to the score. */
  readonly bias?: FloatExpression | undefined;
  readonly inputs: readonly MaskInput[];
}

const aMask = 'a mask, such as causal, padding(tokens) or dense(pairs)';

/** Throws unless a value is a mask. */
export function checkIsMask(what: string, mask: Mask): void {
  if (typeof mask?.name !== 'string' || !Array.isArray(mask.inputs)) refuse(what, mask, aMask);
}

/** Every query sees every key. */
export const none: Mask = { name: 'none', inputs: [] };

/**
 * A query sees the keys for which a condition of their places holds.
 *
 * @param condition of the batch row, the head, the place of the query and that of the key; the last
 * query stands at the last key
 * @throws InputError where the function does not return a condition
 * @example const strided = visible((_b, _h, q, k) => q.sub(k).mod(4).equal(0));
 */
export function visible(
  condition: (b: IntExpression, h: IntExpression, q: IntExpression, k: IntExpression) => Condition,
): Mask {
  const made = condition(b, h, q, k);
  if (made?.node?.type !== 'condition') {
    refuse('visible: what the function returns', made, 'a condition, such as k.lessEqual(q)');
  }
  return { name: 'visible', condition: made, inputs: [] };
}

/**
 * What every one of some masks lets see; what they add to scores adds up.
 *
 * @throws InputError for what is not a mask
 */
export function and(...masks: Mask[]): Mask {
  checkMasks('and', masks);
  const conditions = masks.flatMap(({ condition }) => condition ?? []);
  const biases = masks.flatMap(({ bias }) => bias ?? []);
  return {
    name: nameOf('and', masks),
    ...(conditions.length > 0 ? { condition: conditions.reduce((x, y) => x.and(y)) } : {}),
    ...(biases.length > 0 ? { bias: biases.reduce((x, y) => x.add(y)) } : {}),
    inputs: masks.flatMap(({ inputs }) => inputs),
  };
}

/**
 * What at least one of some masks lets see.
 *
 * @throws InputError without masks, for an argument that is not a mask, and for a mask that adds to scores
 */
export function or(...masks: Mask[]): Mask {
  checkMasks('or', masks);
  const name = nameOf('or', masks);
  if (masks.length === 0) throw new InputError('or: no masks; expected at least one');
  const adding = masks.find(({ bias }) => bias);
  if (adding) {
    throw new InputError(`${name}: ${adding.name} adds to scores; expected masks that only hide`);
  }
  const conditions = masks.flatMap(({ condition }) => condition ?? []);
  // One mask that hides nothing is enough.
  const hiding = conditions.length === masks.length;
  return {
    name,
    ...(hiding ? { condition: conditions.reduce((x, y) => x.or(y)) } : {}),
    inputs: masks.flatMap(({ inputs }) => inputs),
  };
}

function checkMasks(what: string, masks: readonly Mask[]): void {
  for (const [i, mask] of masks.entries()) checkIsMask(`${what}: argument ${i + 1}`, mask);
}

const nameOf = (what: string, masks: readonly Mask[]) =>
  `${what}(${masks.map(({ name }) => name).join(', ')})`;

/** Throws unless a mask's tensors are made for these sizes. */
export function checkMask(
  { name, inputs }: Mask,
  sizes: Readonly<Record<'B' | 'H' | 'Tq' | 'Tk', number>>,
): void {
  for (const { what, tensor, shape } of inputs) {
    const fits =
      tensor.rank === shape.length &&
      shape.every((letter, axis) => {
        const [axisName, one] = letter.startsWith('[')
          ? [letter.slice(1, -1), true]
          : [letter, false];
        const size = tensor.shape[axis]!;
        return size === sizes[axisName as keyof typeof sizes] || (one && size === 1);
      });
    if (fits) continue;
    const expected = shape.map((letter) =>
      letter.startsWith('[')
        ? `1 or ${sizes[letter.slice(1, -1) as keyof typeof sizes]}`
        : sizes[letter as keyof typeof sizes],
    );
    throw new InputError(
      `attention: mask ${name}: ${what} has shape [${tensor.shape.join(', ')}]; expected [${expected.join(', ')}]`,
    );
  }
}
