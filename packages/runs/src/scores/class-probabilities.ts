import { InputError, isEncoder, readTensor } from '@headwise/core';
import { lengthGroups } from '@headwise/core/internal';
import { padRows } from '@headwise/data';
import type { Model } from '@headwise/models';
import * as tf from '@tensorflow/tfjs';

/** Tokens of a pass at most, padding among them; a longer sequence has a pass of its own. */
const tokensAtOnce = 4096;

/**
 * The probability of each class for each sequence: `softmax(logits)`.
 *
 * @param model with a head that classifies sequences
 * @param sequences token ids, each at least one and at most the model's context
 * @returns `[K]` for each sequence
 * @throws InputError for another head, an empty sequence, or one beyond the context
 */
export async function classProbabilities(
  { network, family, config }: Model,
  sequences: readonly (readonly number[])[],
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<Float32Array[]> {
  const { head } = family.preset(config);
  if (!isEncoder(network) || head?.kind !== 'sequence-classification') {
    throw new InputError(
      `the model's head is '${head?.kind ?? 'none'}'; expected 'sequence-classification', as finetune --method classify makes it`,
    );
  }
  checkLengths(sequences, 1, network.maxLength);
  const { padId } = head;
  const found = new Array<Float32Array>(sequences.length);
  for (const group of lengthGroups(sequences.keys(), (n) => sequences[n]!.length, tokensAtOnce)) {
    signal?.throwIfAborted();
    const scores = tf.tidy(() => {
      const rows = padRows(
        group.map((n) => sequences[n]!),
        { padId },
      );
      const [ids, attentionMask] = [rows.ids, rows.mask].map((values) =>
        tf.tensor2d(values, [...rows.shape], 'int32'),
      );
      const { logits } = network.forward(ids!, { attentionMask });
      return tf.softmax<tf.Tensor2D>(logits as tf.Tensor2D);
    });
    const classes = scores.shape[1]!;
    const values = Float32Array.from(await readTensor(scores));
    scores.dispose();
    for (const [row, n] of group.entries()) {
      found[n] = values.slice(row * classes, (row + 1) * classes);
    }
  }
  return found;
}

/** @throws InputError naming the first sequence that is too short or too long */
export function checkLengths(
  sequences: readonly (readonly number[])[],
  least: number,
  most: number,
): void {
  const wrong = sequences.findIndex(({ length }) => length < least || length > most);
  if (wrong < 0) return;
  throw new InputError(
    `sequence ${wrong} has ${sequences[wrong]!.length} tokens; expected ${least} to ${most}`,
  );
}
