import { InputError, ShapeError } from '@headwise/core';
import { sizeOf } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';

/**
 * Where the rows of heads begin in a buffer, in numbers: row `t` of head `h` of sequence `b` at
 * `start + b · batch + h · head + t · row`. The numbers of a row lie side by side.
 */
export interface Strides {
  start: number;
  batch: number;
  head: number;
  row: number;
}

/** Which heads of a tensor are meant: all of `[B, H, T, Dh]`, or `count` from `first` on of each token's in `[B, T, N, Dh]`. */
export type HeadsPlace =
  | { order: 'heads-first' }
  | { order: 'tokens-first'; first: number; count: number };

/** Sizes `[B, H, T, Dh]`, however they lie. */
export type HeadsShape = [batch: number, heads: number, tokens: number, width: number];

/** The sizes of heads in a tensor of some shape. */
export function headsShape(shape: readonly number[], place: HeadsPlace): HeadsShape {
  if (place.order === 'heads-first') return shape as HeadsShape;
  const [batch, tokens, , width] = shape as HeadsShape;
  return [batch, place.count, tokens, width];
}

/** The strides of heads in a tensor of some shape. */
export function stridesOf(shape: readonly number[], place: HeadsPlace): Strides {
  const [, b, c, width] = shape as HeadsShape;
  if (place.order === 'heads-first') {
    return { start: 0, batch: b * c * width, head: c * width, row: width };
  }
  const { first } = place;
  return { start: first * width, batch: b * c * width, head: width, row: c * width };
}

/**
 * Heads `[B, H, T, Dh]` where they lie: in a tensor of that shape, or among the heads of each token, `[B, T, N, Dh]`, as a
 * projection writes them.
 *
 * Queries, keys and values may be parts of one tensor. Operations that know strides read them without a copy, and give the
 * gradients in the same places.
 */
export class Heads {
  /** The tensor that they lie in. */
  readonly tensor: tf.Tensor;
  readonly place: HeadsPlace;

  private constructor(tensor: tf.Tensor, place: HeadsPlace) {
    this.tensor = tensor;
    this.place = place;
  }

  /** @param x `[B, H, T, Dh]`, or heads, which stay as they are */
  static of(x: tf.Tensor | Heads): Heads {
    return x instanceof Heads ? x : new Heads(x, { order: 'heads-first' });
  }

  /**
   * @param x `[B, T, N, Dh]`
   * @param first the first of them among the N; default 0
   * @param count H, their number; default all from the first on
   * @throws ShapeError for a tensor of another rank, InputError for heads that it does not have
   */
  static ofTokens(x: tf.Tensor, first = 0, count: number = (x.shape[2] ?? 0) - first): Heads {
    if (x.rank !== 4) {
      throw new ShapeError(`heads: x has shape [${x.shape.join(', ')}]; expected [B, T, N, Dh]`);
    }
    const all = x.shape[2]!;
    if (!(first >= 0 && count >= 0 && first + count <= all)) {
      throw new InputError(`heads: ${count} from ${first} on, of ${all}; expected some that exist`);
    }
    return new Heads(x, { order: 'tokens-first', first, count });
  }

  /** `[B, H, T, Dh]` */
  get shape(): HeadsShape {
    return headsShape(this.tensor.shape, this.place);
  }

  get size(): number {
    return sizeOf(this.shape);
  }

  /** Whether they are all of their tensor. */
  get whole(): boolean {
    return this.size === this.tensor.size;
  }

  /** The same heads of another tensor of the same shape. */
  in(tensor: tf.Tensor): Heads {
    return new Heads(tensor, this.place);
  }

  /** As a tensor `[B, H, T, Dh]`: a copy, unless they lie so. */
  headsFirst(): tf.Tensor {
    const { tensor, place, shape } = this;
    if (place.order === 'heads-first') return tensor;
    const [batch, heads, tokens, width] = shape;
    return tf.tidy(() => {
      const own = this.whole
        ? tensor
        : tensor.slice([0, 0, place.first, 0], [batch, tokens, heads, width]);
      // One token, or one head: the order of both is the same.
      return tokens === 1 || heads === 1 ? own.reshape(shape) : own.transpose([0, 2, 1, 3]);
    });
  }

  /** As a tensor `[B, T, H, Dh]`: a copy, unless they lie so. */
  tokensFirst(): tf.Tensor {
    const { tensor, place, shape } = this;
    const [batch, heads, tokens, width] = shape;
    return tf.tidy(() => {
      if (place.order === 'tokens-first') {
        if (this.whole) return tensor;
        return tensor.slice([0, 0, place.first, 0], [batch, tokens, heads, width]);
      }
      return tokens === 1 || heads === 1
        ? tensor.reshape([batch, tokens, heads, width])
        : tensor.transpose([0, 2, 1, 3]);
    });
  }
}

/** Heads as a kernel is told of them: which of its inputs they lie in, and where. */
export type Operand = HeadsPlace & { input: number };

/**
 * The tensors that heads lie in, each once, so that each gets one gradient; heads of one tensor that overlap count as two.
 */
export function operandsOf(heads: readonly [q: Heads, k: Heads, v: Heads]): {
  tensors: tf.Tensor[];
  operands: [q: Operand, k: Operand, v: Operand];
} {
  const tensors: tf.Tensor[] = [];
  const operands: Operand[] = [];
  for (const { tensor, place } of heads) {
    const shared = tensors.findIndex(
      (other, input) =>
        other === tensor &&
        operands.every((operand) => operand.input !== input || apart(operand, place)),
    );
    const input = shared < 0 ? tensors.push(tensor) - 1 : shared;
    operands.push({ ...place, input });
  }
  return { tensors, operands: operands as [Operand, Operand, Operand] };
}

/** Whether two parts of one tensor have no head in common. */
function apart(a: HeadsPlace, b: HeadsPlace): boolean {
  if (a.order === 'heads-first' || b.order === 'heads-first') return false;
  return a.first + a.count <= b.first || b.first + b.count <= a.first;
}
