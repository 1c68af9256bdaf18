import { InputError } from '@headwise/core';
import type * as tf from '@tensorflow/tfjs';
import type { ByPath } from './optimizer.js';

/**
 * Parameters chosen by their paths: a regular expression, a function, or a list of paths. A path of the list stands for the parameter
 * or for all below it, and `*` for any part between dots: `['tokens', 'blocks.0', 'blocks.*.norm1']`.
 */
export type PathChoice = RegExp | readonly string[] | ByPath<boolean>;

/**
 * The parameters that are left to train when some are frozen; give the result to the optimizer and to `train`.
 *
 * Frozen parameters have no gradient and no moments, and the backward pass ends above the first parameter that is trained.
 *
 * @param params by path, as `ParamStore.named` gives them
 * @throws InputError where a choice matches no parameter, or all are frozen
 * @example
 * const params = freeze(model.params.named(), ['tokens', 'positions', 'blocks.0']);
 * train({ params, optimizer: new AdamW(params), objective, schedule, batches, steps: 100 });
 */
export function freeze(
  params: Readonly<Record<string, tf.Variable>>,
  frozen: PathChoice,
): Record<string, tf.Variable> {
  const paths = Object.keys(params);
  const isFrozen = chooser(frozen, paths);
  const left = paths.filter((path) => !isFrozen(path, params[path]!));
  if (left.length === 0) {
    throw new InputError(
      `freeze: all ${paths.length} parameters are frozen; expected at least one to train`,
    );
  }
  return Object.fromEntries(left.map((path) => [path, params[path]!]));
}

function chooser(choice: PathChoice, paths: readonly string[]): ByPath<boolean> {
  if (typeof choice === 'function') return choice;
  const patterns = choice instanceof RegExp ? [choice] : choice.map(pathPattern);
  const matches = (pattern: RegExp, path: string) => path.search(pattern) >= 0;
  for (const [i, pattern] of patterns.entries()) {
    if (paths.some((path) => matches(pattern, path))) continue;
    const given = choice instanceof RegExp ? String(choice) : `'${choice[i]}'`;
    throw new InputError(
      `freeze: ${given} matches none of ${paths.length} parameters, such as '${paths[0]}'`,
    );
  }
  return (path) => patterns.some((pattern) => matches(pattern, path));
}

/** A path, or what is below it; `*` stands for one part. */
const pathPattern = (path: string): RegExp =>
  new RegExp(`^${path.replace(/[\\^$+?.()|[\]{}]/g, '\\$&').replaceAll('*', '[^.]*')}(\\.|$)`);
