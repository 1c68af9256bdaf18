import { InputError, Random } from '@headwise/core';

/**
 * Chooses some examples of a pool to show before a query, in the order in which they are shown.
 *
 * Examples that it chooses for a smaller count are among those for a greater one.
 *
 * @throws InputError for more examples than the pool has
 */
export type ExampleChooser<Example, Query = Example> = (
  query: Query,
  count: number,
) => Promise<readonly Example[]>;

/** The first examples of a pool, in its order: a fixed choice. */
export function firstExamples<Example>(pool: readonly Example[]): ExampleChooser<Example, unknown> {
  return async (_query, count) => {
    checkCount(count, pool.length);
    return pool.slice(0, count);
  };
}

/**
 * Examples at random: which, and in which order, depends on the seed alone and is the same for every query.
 *
 * @param seed a whole number
 */
export function randomExamples<Example>(
  pool: readonly Example[],
  { seed }: { seed: number },
): ExampleChooser<Example, unknown> {
  return firstExamples(shuffledExamples(pool, seed));
}

/** Options of `balancedExamples`. */
export interface BalancedOptions<Example> {
  /** The label of an example. */
  label: (example: Example) => string;
  /** Draws the examples of each label, and the order of the labels. */
  seed: number;
}

/**
 * Examples of every label in turn, at random within each: any two labels are shown equally often, or one of them once more.
 *
 * @throws InputError, when asked, for a label with too few examples, by its name
 */
export function balancedExamples<Example>(
  pool: readonly Example[],
  { label, seed }: BalancedOptions<Example>,
): ExampleChooser<Example, unknown> {
  const groups = new Map<string, Example[]>();
  for (const example of shuffledExamples(pool, seed)) {
    const name = label(example);
    groups.set(name, [...(groups.get(name) ?? []), example]);
  }
  // The shuffled pool begins with a random label, so that no label is first for every seed.
  const labels = [...groups.keys()];
  return async (_query, count) => {
    checkCount(count, pool.length);
    return Array.from({ length: count }, (_, n) => {
      const name = labels[n % labels.length]!;
      const example = groups.get(name)![Math.floor(n / labels.length)];
      if (example !== undefined) return example;
      throw new InputError(
        `${count} examples of ${labels.length} labels are asked for; the pool has ${groups.get(name)!.length} of the label '${name}': expected ${Math.ceil((count - labels.indexOf(name)) / labels.length)}`,
      );
    });
  };
}

/** Examples in a random order, every order equally likely (Fisher–Yates). @param seed a whole number */
export function shuffledExamples<Example>(
  examples: readonly Example[],
  seed: number,
): readonly Example[] {
  const random = new Random(seed);
  const order = [...examples];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random.next() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** @throws InputError for a count that is not whole, and for more than there are */
export function checkCount(count: number, available: number): void {
  if (Number.isSafeInteger(count) && count >= 0 && count <= available) return;
  throw new InputError(
    `${count} examples are asked for; expected a whole number from 0 to ${available}, those of the pool`,
  );
}
