import { type ForwardContext, InputError } from '@headwise/core';
import type { MapPart } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import { Interventions, type NamedInterventions } from './intervene.js';
import { checkMatched, nameMatches, sourceCheck } from './names.js';
import type { Watchable } from './watchable.js';

export interface CaptureOptions {
  /** What of `scores` and `pattern` to compute; default all heads and rows. */
  part?: MapPart | undefined;
  /** What to replace while the model runs. */
  interventions?: NamedInterventions | undefined;
}

/** The output and the named activations of one forward pass; owns their tensors. */
export class Captured<Output = tf.Tensor> {
  readonly output: Output;
  readonly #activations: ReadonlyMap<string, tf.Tensor>;

  constructor(output: Output, activations: ReadonlyMap<string, tf.Tensor>) {
    this.output = output;
    this.#activations = activations;
  }

  /** In the order of the forward pass. */
  get names(): string[] {
    return [...this.#activations.keys()];
  }

  /** @throws InputError where the name was not captured */
  get(name: string): tf.Tensor {
    const value = this.#activations.get(name);
    if (value) return value;
    checkMatched([name], new Set(this.names));
    throw new InputError(`'${name}' is a pattern of names; expected one name`);
  }

  /** Frees the output and every activation. */
  dispose(): void {
    tf.dispose([this.output as tf.TensorContainer, ...this.#activations.values()]);
  }
}

/**
 * Runs a model and returns the named activations.
 *
 * Watching changes no bit of the output: what fused kernels never store, such as attention weights, is
 * computed beside them.
 *
 * @param names of activations; `*` stands for one part between dots, `**` for any number
 * @returns the output and the activations, to be disposed
 * @throws InputError for a name that the model does not have, with the names near to it
 * @example
 * const captured = capture(network, ids, 'blocks.*.attn.pattern');
 * captured.get('blocks.0.attn.pattern'); // [B, H, T, T]
 * captured.dispose();
 */
export function capture<Output = tf.Tensor>(
  model: Watchable<Output>,
  input: tf.Tensor,
  names: string | readonly string[],
  { part, interventions = {} }: CaptureOptions = {},
): Captured<Output> {
  const patterns = typeof names === 'string' ? [names] : names;
  const wanted = (name: string) => patterns.some((pattern) => nameMatches(pattern, name));
  const changes = new Interventions(interventions);
  const activations = new Map<string, tf.Tensor>();
  const keep = (name: string, value: tf.Tensor) => {
    activations.get(name)?.dispose();
    activations.set(name, tf.keep(value.clone()));
  };
  const checkSource = sourceCheck();
  /** Where a map is replaced, its layer computes all of it, and shows it to the tap. */
  const replacesMap = (path: string) => mapNames(path).some((name) => changes.wants(name));
  const seen = new Set<string>();
  const probed = new Set<string>();
  let output: tf.TensorContainer | undefined;
  try {
    output = tf.tidy(() =>
      run(model, input, {
        onAttention: (path, probe) => {
          if (replacesMap(path)) return;
          const [scores, pattern] = mapNames(path);
          if (wanted(scores)) keep(scores, probe.scores(part));
          if (wanted(pattern)) keep(pattern, probe.pattern(part));
          probed.add(scores).add(pattern);
        },
        tap: Object.assign(
          (name: string, value: tf.Tensor, source?: object) => {
            checkSource(name, source);
            const replaced = changes.apply(name, value);
            const now = replaced ?? value;
            if (wanted(name)) keep(name, part && isMap(name) ? partOf(now, part) : now);
            return replaced;
          },
          {
            wants: (name: string) => {
              seen.add(name);
              return changes.wants(name) || (wanted(name) && !probed.has(name));
            },
          },
        ),
      }),
    );
    checkMatched([...patterns, ...Object.keys(interventions)], seen);
    return new Captured(output as Output, activations);
  } catch (error) {
    tf.dispose([output, ...activations.values()]);
    throw error;
  }
}

/** The names of all activations of a forward pass, in order. */
export function activationNames(model: Watchable<unknown>, input: tf.Tensor): string[] {
  const names = new Set<string>();
  const wants = (name: string) => {
    names.add(name);
    return false;
  };
  tf.tidy(() => {
    model.forward(input, { tap: Object.assign(() => {}, { wants }) });
  });
  return [...names];
}

/** What a model gives is tensors, in whatever order or under whatever names. */
function run(model: Watchable<unknown>, input: tf.Tensor, ctx: ForwardContext): tf.TensorContainer {
  return model.forward(input, ctx) as tf.TensorContainer;
}

function mapNames(path: string): [scores: string, pattern: string] {
  const below = path === '' ? '' : `${path}.`;
  return [`${below}scores`, `${below}pattern`];
}

function isMap(name: string): boolean {
  return /(?:^|\.)(?:scores|pattern)$/.test(name);
}

/** The asked heads and rows of a whole map, `[B, H, Tq, Tk]`. */
function partOf(map: tf.Tensor, { heads, rows }: MapPart): tf.Tensor {
  const pick = (x: tf.Tensor, indices: readonly number[] | undefined, axis: 1 | 2) => {
    if (!indices) return x;
    const count = x.shape[axis]!;
    const wrong = indices.find(
      (index) => !(Number.isInteger(index) && index >= 0 && index < count),
    );
    if (wrong !== undefined) {
      const what = axis === 1 ? 'head' : 'row';
      throw new InputError(
        `attention map: ${what} ${wrong} does not exist; expected 0 to ${count - 1}`,
      );
    }
    return x.gather(tf.tensor1d([...indices], 'int32'), axis);
  };
  return pick(pick(map, heads, 1), rows, 2);
}
