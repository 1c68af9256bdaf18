import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isEncoder, isEncoderDecoder, type LanguageModel } from '@headwise/core';
import { paddedRows } from '@headwise/core/internal';
import { cases, expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { test } from 'vitest';
import { loadModel } from './node.js';

const goldens = fileURLToPath(new URL('../../parity/goldens', import.meta.url));
/** Models of texts. */
const names = readdirSync(goldens, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !/^(clip|vit|whisper)/.test(entry.name))
  .map(({ name }) => name);
const few = ['qwen3-moe', 'roberta-masked-lm', 'deberta', 'modernbert', 'bloom', 'm2m100'];

for (const name of cases(names, (name) => few.includes(name))) {
  test(`${name}: the 0 that pads shorter sequences is not seen, nor would another id be`, async () => {
    const { network, params } = await loadModel(`${goldens}/${name}`);
    // Some rules of rotary positions are others from a length on.
    const steady = 'steadyLength' in network ? (network.steadyLength as number) : 12;
    const longest = Math.min(12, steady, network.maxLength);
    const sequence = (length: number) => Array.from({ length }, (_, i) => 5 + ((7 * i) % 11));
    const short = sequence(Math.min(7, longest - 1));
    const { ids, lengths } = paddedRows([short, sequence(longest)]);
    const attentionMask = tf.tensor2d(
      lengths.map((length) => Array.from({ length: longest }, (_, i) => Number(i < length))),
      undefined,
      'int32',
    );
    const run = (given: tf.Tensor2D, attentionMask?: tf.Tensor2D): tf.Tensor => {
      if (isEncoderDecoder(network)) return network.encode(given, { attentionMask }).states;
      // As scores of decoders are computed, where no token sees those behind it.
      return isEncoder(network)
        ? network.encode(given, { attentionMask })
        : (network as LanguageModel).forward(given);
    };
    const alone = await run(tf.tensor2d([short], undefined, 'int32')).data();
    const others = tf.tidy(() => ids.add(tf.scalar(23, 'int32').mul(tf.sub(1, attentionMask))));
    for (const padded of [ids, others.toInt() as tf.Tensor2D]) {
      const states = run(padded, attentionMask);
      const own = states.slice([0, 0, 0], [1, short.length, states.shape[2]!]);
      await expectClose(own, [...alone], { ratio: 2e-5 });
    }
    params.dispose();
  });
}
