import { InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { kept } from './kept.js';

/** New tokens of a batch. */
export interface Tokens {
  /** The tokens of each sequence, new ones included. */
  readonly ends: readonly number[];
  /** The new ones among them; what more was given is padding. */
  readonly counts: readonly number[];
  /** The number of tokens given, `T`. */
  readonly most: number;
  /** `ends` and `counts`, int32, `[B, 2]`: for kernels, where sequences differ. */
  places: tf.Tensor2D | undefined;
}

/** Whether all sequences have as many tokens, and as many new ones. */
export function isLevel({ ends, counts, most }: Tokens): boolean {
  return counts.every((n) => n === most) && ends.every((n) => n === ends[0]);
}

/** `ends` and `counts` as a tensor, made by the first layer of a pass for all. */
export function placesOf(tokens: Tokens): tf.Tensor2D {
  const { ends, counts } = tokens;
  tokens.places ??= kept(() => {
    const pairs = ends.flatMap((end, b) => [end, counts[b]!]);
    return tf.tensor2d(pairs, [ends.length, 2], 'int32');
  });
  return tokens.places;
}

/** Where the new tokens of a layer stand: the same for all layers of a pass, and made once for them. */
export class TokensOfPass {
  #last: Tokens | undefined;

  /**
   * @param k `[B, Hkv, T, Dh]`, the new keys
   * @param seen the tokens of each sequence before them; undefined for none
   * @param given those of `T` that are not padding; undefined for all
   * @throws InputError for counts that are not one of 0 to `T` a sequence
   */
  of(
    what: string,
    { shape }: { shape: readonly number[] },
    seen: readonly number[] | undefined,
    given: readonly number[] | undefined,
  ): Tokens {
    const [batch, , most] = shape as [number, number, number];
    const counts = given ?? Array<number>(batch).fill(most);
    const inRange = (n: number) => Number.isInteger(n) && n >= 0 && n <= most;
    if (counts.length !== batch || !counts.every(inRange)) {
      throw new InputError(
        `${what}: counts are [${counts.join(', ')}]; expected ${batch} of 0 to ${most}`,
      );
    }
    const ends = counts.map((n, b) => (seen?.[b] ?? 0) + n);
    const last = this.#last;
    if (last && same(last.ends, ends) && same(last.counts, counts)) return last;
    last?.places?.dispose();
    this.#last = { ends, counts, most, places: undefined };
    return this.#last;
  }

  dispose(): void {
    this.#last?.places?.dispose();
  }
}

const same = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((n, i) => n === b[i]);
