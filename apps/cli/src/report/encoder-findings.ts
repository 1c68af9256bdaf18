import { type EncoderModel, type LanguageModel, readTensor } from '@headwise/core';
import { attentionMaps } from '@headwise/inspect';
import * as tf from '@tensorflow/tfjs';
import {
  checkLength,
  type Expectation,
  expectationIn,
  type Findings,
  only,
  selfAttention,
  type Tokens,
} from './findings.js';

/** Tokens of a pass at most. */
const tokensAtOnce = 4096;

/** The tokens of a text as an encoder reads them. */
export interface EncoderText extends Tokens {
  /** 1 for each token that was added around the text. */
  readonly special: readonly number[];
  /** What stands in the place of a hidden token; undefined where the tokenizer has none. */
  readonly maskId: number | undefined;
}

/**
 * Looks into an encoder while it reads a text: maps of all layers, and, under a head of masked tokens, what it would fill each
 * token's place with.
 *
 * @throws InputError for a text of no token, or of more than the model or a page can hold
 */
export async function findingsOfEncoder(
  network: EncoderModel,
  text: EncoderText,
): Promise<Findings> {
  const { ids } = text;
  checkLength(network, ids);
  const input = tf.tensor2d([...ids], [1, ids.length], 'int32');
  try {
    const body = { forward: network.encode.bind(network) as LanguageModel['forward'] };
    const maps = await attentionMaps(body, input);
    const expectations = await expectationsOfHidden(network, text);
    const groups = [selfAttention(only, maps, text)];
    return { direction: 'both', tokens: text, groups, lens: [], expectations };
  } finally {
    input.dispose();
  }
}

/** What each token is expected to be where it alone is hidden; none without a head that scores tokens. */
async function expectationsOfHidden(
  network: EncoderModel,
  { ids, special, maskId }: EncoderText,
): Promise<(Expectation | undefined)[]> {
  const { forwardAt, vocabSize } = network;
  const expectations = ids.map((): Expectation | undefined => undefined);
  if (!forwardAt || maskId === undefined) return expectations;
  const hidden = ids.map((_, t) => t).filter((t) => special[t] === 0);
  const rowsAtOnce = Math.max(1, Math.floor(tokensAtOnce / ids.length));
  for (let from = 0; from < hidden.length; from += rowsAtOnce) {
    const some = hidden.slice(from, from + rowsAtOnce);
    const rows = tf.tidy(() => {
      const texts = some.map((t) => ids.with(t, maskId));
      const positions = some.map((t, row) => row * ids.length + t);
      const outputs = forwardAt(
        tf.tensor2d(texts, [some.length, ids.length], 'int32'),
        tf.tensor1d(positions, 'int32'),
      );
      return tf.softmax((outputs.logits ?? outputs.tokenLogits)!);
    });
    const values = (await readTensor(rows)) as Float32Array;
    rows.dispose();
    for (const [row, t] of some.entries()) {
      const chances = values.subarray(row * vocabSize, (row + 1) * vocabSize);
      expectations[t] = expectationIn(chances, ids[t]!);
    }
  }
  return expectations;
}
