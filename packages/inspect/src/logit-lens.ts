import { InputError, type LanguageModel, readTensor } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { activationNames, capture } from './capture.js';

export interface LogitLensOptions {
  /** How many of the best next tokens to give; default 5, or all where there are fewer. */
  top?: number | undefined;
  /** Which sequence of the batch; default 0. */
  sequence?: number | undefined;
}

/** Next-token predictions from the residual stream after one block. */
export interface LensLayer {
  /** The activation that was read: `embedded`, `blocks.3.resid`. */
  readonly name: string;
  /** Of each token, the best next ones, the best first. */
  readonly tokens: readonly { readonly ids: number[]; readonly probabilities: number[] }[];
}

/** Logits held at once: 64 MiB of them. */
const budget = 2 ** 24;

/**
 * Decodes the residual stream after every block with the model's final norm and output head.
 *
 * The stream after each block is put in place of the last one's.
 *
 * @param ids `[B, T]`, int32
 * @returns one entry a layer, from the embeddings to the last block, whose are the model's own
 * @throws InputError for a model without taps named `resid`, a sequence that does not exist, a `top` out of range
 * @see nostalgebraist 2020, https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru/interpreting-gpt-the-logit-lens
 */
export async function logitLens(
  model: LanguageModel,
  ids: tf.Tensor,
  { top = Math.min(5, model.vocabSize), sequence = 0 }: LogitLensOptions = {},
): Promise<LensLayer[]> {
  const [batch, length] = ids.shape as [number, number];
  checkIndex('sequence', sequence, 0, batch - 1);
  checkIndex('top', top, 1, model.vocabSize);
  const names = streamNames(activationNames(model, ids));
  const last = names.at(-1)!;
  const captured = capture(model, ids, names);
  const start = ids.slice([0, 0], [1, 1]);
  const together = Math.max(1, Math.floor(budget / (length * model.vocabSize)));
  const layers: LensLayer[] = [];
  try {
    for (let first = 0; first < names.length; first += together) {
      const group = names.slice(first, first + together);
      const best = tf.tidy(() => {
        const streams = tf.concat(group.map((name) => captured.get(name).slice([sequence], [1])));
        // Whatever one token makes the stream, the replacement is read instead: [group, T, D].
        const tap = Object.assign(() => streams, { wants: (name: string) => name === last });
        const { values, indices } = tf.topk(tf.softmax(model.forward(start, { tap })), top);
        return [indices, values]; // [group, T, top]
      });
      const [indices, values] = await Promise.all(best.map(readTensor));
      tf.dispose(best);
      for (const [i, name] of group.entries()) {
        const tokens = Array.from({ length }, (_, t) => {
          const at = (i * length + t) * top;
          return {
            ids: [...indices!.subarray(at, at + top)],
            probabilities: [...values!.subarray(at, at + top)],
          };
        });
        layers.push({ name, tokens });
      }
    }
  } finally {
    tf.dispose(start);
    captured.dispose();
  }
  return layers;
}

/** The embeddings, and the residual stream after every block of the stack that makes the logits. */
function streamNames(names: readonly string[]): string[] {
  const streams = names.filter((name) => /(?:^|\.)resid$/.test(name));
  const last = streams.at(-1);
  if (!last) throw new InputError("logitLens: the model shows no activation named 'resid'");
  const stackOf = (name: string) => name.replace(/\d+\.resid$/, '');
  const stack = streams.filter((name) => stackOf(name) === stackOf(last));
  return [...names.filter((name) => name === 'embedded'), ...stack];
}

function checkIndex(what: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new InputError(`logitLens: ${what} is ${value}; expected ${least} to ${most}`);
}
