import { InputError } from '@headwise/core';

/** A range of valid ids: tokens of a vocabulary, classes or segments. */
export interface IdSpace {
  /** What one is called in errors: `id`, `target`, `token type`. */
  readonly name: string;
  /** `V`: ids are in [0, V). */
  readonly count: number;
  /** What they are of, in errors: `the vocabulary of 50257 tokens`. */
  readonly of: string;
  /** One more id that is allowed and ignored. */
  readonly ignored?: number | undefined;
}

/** The ids of a vocabulary of `V` tokens. */
export const vocabularyOf = (count: number, name = 'id', ignored?: number): IdSpace => ({
  name,
  count,
  of: `the vocabulary of ${count} tokens`,
  ignored,
});

/**
 * Throws unless every id of a list is in its space.
 *
 * @param shape that the list is laid out in, for the position in the error; default one axis
 * @throws InputError naming the first id outside, its position and `V`
 */
export function checkIdValues(
  ids: ArrayLike<number>,
  space: IdSpace,
  shape: readonly number[] = [ids.length],
): void {
  const { count, ignored } = space;
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    if ((id >= 0 && id < count && Number.isInteger(id)) || id === ignored) continue;
    throw outside(id, i, space, shape);
  }
}

/** The error for an id out of range, at an index of a row-major tensor. */
export function outside(
  id: number,
  place: number,
  { name, of }: IdSpace,
  shape: readonly number[],
): InputError {
  const position: number[] = [];
  let rest = place;
  for (const size of [...shape].reverse()) {
    position.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  const at = position.length === 1 ? position[0] : `[${position.join(', ')}]`;
  return new InputError(`${name} ${id} at position ${at} is outside ${of}`);
}
