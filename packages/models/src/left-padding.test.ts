import { KeyValueCache } from '@headwise/decoding';
import { expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import golden from './goldens/left-padding.json' with { type: 'json' };
import { encoderDecoderModel, encoderModel, languageModel } from './model.js';
import { loadModel } from './node.js';

const load = (name: string) =>
  loadModel(new URL(`../../parity/goldens/${name}/`, import.meta.url).pathname);

const int = (rows: number[][]) => tf.tensor2d(rows, [rows.length, rows[0]!.length], 'int32');
const lastOf = (logits: tf.Tensor) =>
  logits.slice([0, logits.shape[1]! - 1, 0], [2, 1, logits.shape[2]!]);

/** Takes the best token of each sequence, as often as transformers did; gives them and the last logits. */
async function greedy(
  steps: number,
  first: tf.Tensor,
  next: (ids: tf.Tensor, made: number) => tf.Tensor,
): Promise<{ made: number[][]; logits: tf.Tensor }> {
  const made: number[][] = [[], []];
  let logits = lastOf(first);
  for (let n = 1; ; n++) {
    const best = await logits.argMax(-1).data();
    for (const [row, ids] of made.entries()) ids.push(best[row]!);
    if (n === steps) return { made, logits };
    logits = lastOf(next(int([...best].map((id) => [id])), n));
  }
}

describe("a batch padded on the left gives transformers' generate's tokens and logits", () => {
  const { ids, mask } = golden;
  for (const { model, made, last } of golden.cases) {
    test(model, async () => {
      const cache = new KeyValueCache();
      const attentionMask = int(mask);
      const loaded = await load(model);
      const steps = made[0]!.length;
      let written: Awaited<ReturnType<typeof greedy>>;
      if (model === 't5') {
        const { network } = encoderDecoderModel(loaded);
        const encoded = network.encode(int(ids), { attentionMask });
        const start = int([[network.startId], [network.startId]]);
        const decode = (ids: tf.Tensor) => network.decode(ids, encoded, { cache });
        written = await greedy(steps, decode(start), decode);
      } else {
        const { network } = languageModel(loaded);
        const seen = (made: number) => int(mask.map((row) => [...row, ...Array(made).fill(1)]));
        const first = network.forward(int(ids), { attentionMask, cache });
        written = await greedy(steps, first, (ids, made) =>
          network.forward(ids, { attentionMask: seen(made), cache }),
        );
      }
      expect(written.made).toEqual(made);
      await expectClose(written.logits, last, { ratio: 2e-5 });
      cache.dispose();
      loaded.params.dispose();
    });
  }
});

describe("an encoder's batch padded on the left gives transformers' logits", () => {
  for (const { model, pad, positions, last } of golden.encoders) {
    for (const given of model.startsWith('roberta') ? [false, true] : [true]) {
      test(`${model}, ${given ? 'with positions' : 'by its own rule'}`, async () => {
        const { network, params } = encoderModel(await load(model));
        const ids = golden.ids.map((row, b) => row.map((id, t) => (golden.mask[b]![t] ? id : pad)));
        const attentionMask = int(golden.mask);
        const ctx = { attentionMask, ...(given ? { positions: int(positions) } : {}) };
        await expectClose(lastOf(network.forward(int(ids), ctx).logits!), last, { ratio: 2e-5 });
        params.dispose();
      });
    }
  }
});
