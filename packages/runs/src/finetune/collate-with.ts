import { Random } from '@headwise/core';
import type { Collator } from '@headwise/data';

/** A batch whose random draws depend on a seed alone. */
export function collateWith<T, B>(
  collate: Collator<T, B>,
  examples: readonly T[],
  seed: number,
): B {
  const random = new Random(seed);
  return collate(examples, () => Math.floor(random.next() * 2 ** 32));
}
