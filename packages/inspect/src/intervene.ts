import { checkShape, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { checkMatched, nameMatches, sourceCheck } from './names.js';
import type { Watchable } from './watchable.js';

/** The replacement of an activation, of the same shape. */
export type Intervention = (value: tf.Tensor, name: string) => tf.Tensor;

/** Interventions by activation name or name pattern. */
export type NamedInterventions = Readonly<Record<string, Intervention>>;

/**
 * Runs a model with some of its activations replaced.
 *
 * @param interventions by name; `*` stands for one part between dots, `**` for any number. Where several
 * fit a name, they are applied in their order.
 * @returns the model's output
 * @throws InputError for a name that the model does not have, or that two blocks show; ShapeError for a replacement of another shape
 * @see Vig et al. 2020, https://arxiv.org/abs/2004.12265 (causal mediation)
 * @example
 * const without = intervene(network, ids, { 'blocks.1.attn.heads': onHeads([3], zero) }); // head 3 ablated
 */
export function intervene<Output = tf.Tensor>(
  model: Watchable<Output>,
  input: tf.Tensor,
  interventions: NamedInterventions,
): Output {
  const changes = new Interventions(interventions);
  const seen = new Set<string>();
  const wants = (name: string) => {
    seen.add(name);
    return changes.wants(name);
  };
  const checkSource = sourceCheck();
  const apply = (name: string, value: tf.Tensor, source?: object) => {
    checkSource(name, source);
    return changes.apply(name, value);
  };
  return tf.tidy(() => {
    const output = model.forward(input, { tap: Object.assign(apply, { wants }) });
    checkMatched(Object.keys(interventions), seen);
    return output as tf.TensorContainer;
  }) as Output;
}

/** Replaces every value by 0. */
export const zeroAblation: Intervention = (value) => tf.zerosLike(value);

/**
 * Replaces every token's values by their mean over the batch and the tokens.
 *
 * @see Wang et al. 2022, https://arxiv.org/abs/2211.00593
 */
export const meanAblation: Intervention = (value) => {
  const tokens = tokenAxis(value);
  return tf.tidy(() => value.mean([0, tokens], true).broadcastTo(value.shape));
};

/**
 * An intervention for some heads of an activation `[B, H, T, …]`; the others stay as they are.
 *
 * @throws InputError for a head that does not exist
 * @see Michel, Levy and Neubig 2019, https://arxiv.org/abs/1905.10650
 */
export function onHeads(heads: readonly number[], change: Intervention): Intervention {
  return (value, name) => {
    checkShape(`onHeads: '${name}'`, value.shape, ['B', 'H', 'T', 'Dh']);
    const count = value.shape[1]!;
    for (const head of heads) {
      if (Number.isInteger(head) && head >= 0 && head < count) continue;
      throw new InputError(`'${name}' has no head ${head}; expected 0 to ${count - 1}`);
    }
    return tf.tidy(() => {
      const chosen = Array.from({ length: count }, (_, h) => (heads.includes(h) ? 1 : 0));
      const mask = tf.tensor(chosen, [1, count, 1, 1], 'bool');
      return tf.where(mask, change(value, name), value);
    });
  };
}

/** Interventions together: which names they want, and what they make of a value. */
export class Interventions {
  readonly #entries: readonly (readonly [string, Intervention])[];

  constructor(named: NamedInterventions) {
    this.#entries = Object.entries(named);
  }

  wants(name: string): boolean {
    return this.#entries.some(([pattern]) => nameMatches(pattern, name));
  }

  /** The replacement; undefined where none is for this name. */
  apply(name: string, value: tf.Tensor): tf.Tensor | undefined {
    let current = value;
    for (const [pattern, change] of this.#entries) {
      if (!nameMatches(pattern, name)) continue;
      current = change(current, name);
      checkShape(`the replacement of '${name}'`, current.shape, value.shape);
    }
    // A copy, so that a tensor of the caller's is never the model's own output.
    return current === value ? undefined : current.clone();
  }
}

function tokenAxis(value: tf.Tensor): number {
  if (value.rank === 4) return 2; // [B, H, T, …]
  if (value.rank === 3) return 1; // [B, T, …]
  throw new InputError(`mean: needs [B, T, D] or [B, H, T, Dh]; got [${value.shape.join(', ')}]`);
}
