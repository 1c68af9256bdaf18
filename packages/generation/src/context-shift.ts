import { InputError } from '@headwise/core';

/** What stays of a sequence that has filled its context; lengths in tokens. */
export interface ContextShift {
  /** First tokens that stay for good: attention leans on them; default 4. */
  sinks?: number | undefined;
  /** Latest tokens that stay; default half of what the context has room for besides the sinks. */
  keep?: number | undefined;
  /** The most tokens that the model attends to; default its `maxLength`. */
  context?: number | undefined;
}

/** Lengths with their defaults. */
interface Lengths {
  readonly context: number;
  readonly sinks: number;
  readonly keep: number;
}

/**
 * Lengths with their defaults; without a shift, the newer half stays.
 *
 * @throws InputError where they are out of range, or do not fit into the context
 */
export function checkedShift(maxLength: number, shift: ContextShift | undefined): Lengths {
  if (!shift) return { context: maxLength, sinks: 0, keep: Math.max(1, maxLength >> 1) };
  const { context = maxLength, sinks = 4 } = shift;
  const { keep = Math.max(1, (context - sinks) >> 1) } = shift;
  const whole = (name: string, value: number, least: number, most: number, limit: string) => {
    if (Number.isSafeInteger(value) && value >= least && value <= most) return;
    throw new InputError(
      `contextShift: ${name} is ${value}; expected a whole number from ${least} to ${limit}`,
    );
  };
  if (context === Number.POSITIVE_INFINITY) {
    throw new InputError(
      'contextShift: the model has no maxLength; expected a context, the most tokens that it attends to',
    );
  }
  whole('context', context, 1, maxLength, `${maxLength}, the model's maxLength`);
  whole('sinks', sinks, 0, context - 1, `${context - 1}, below the context`);
  whole('keep', keep, 1, context - sinks, `${context - sinks}, what ${sinks} sinks leave`);
  return { context, sinks, keep };
}

/** The tokens of a growing sequence that a model attends to: all, until they fill the context; then the sinks and the latest ones. */
export class Context {
  readonly #lengths: Lengths;
  /** Tokens that have left, those after the sinks. */
  #dropped = 0;

  constructor(maxLength: number, shift: ContextShift | undefined) {
    this.#lengths = checkedShift(maxLength, shift);
  }

  /** The most tokens that it holds. */
  get size(): number {
    return this.#lengths.context;
  }

  /** Whether no token has left. */
  get whole(): boolean {
    return this.#dropped === 0;
  }

  /**
   * Lets tokens leave where a sequence does not fit: the positions of all others change with them, and with these their keys and
   * values.
   *
   * @param length of the sequence
   * @returns whether some left
   */
  shift(length: number): boolean {
    const { context, sinks, keep } = this.#lengths;
    if (this.lengthOf(length) <= context) return false;
    this.#dropped = length - sinks - keep;
    return true;
  }

  /** The tokens in it that a cache does not have yet. @param cached the number of tokens in the cache */
  after(cached: number, sequence: readonly number[]): readonly number[] {
    const { sinks } = this.#lengths;
    if (this.whole) return sequence.slice(cached);
    const latest = sequence.slice(Math.max(sinks, cached) + this.#dropped);
    return cached < sinks ? [...sequence.slice(cached, sinks), ...latest] : latest;
  }

  /** The tokens in it of a sequence that long. */
  lengthOf(length: number): number {
    return Math.max(0, length - this.#dropped);
  }

  /** The number of tokens that it has room for after a sequence that long. */
  room(length: number): number {
    return this.size - this.lengthOf(length);
  }
}
