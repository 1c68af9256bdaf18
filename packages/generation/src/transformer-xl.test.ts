import { fileURLToPath } from 'node:url';
import type { LanguageModel } from '@headwise/core';
import { sampleTokens } from '@headwise/kernels';
import { languageModel, loadModel } from '@headwise/models';
import { folderFiles } from '@headwise/models/node';
import * as tf from '@tensorflow/tfjs';
import { afterAll, describe, expect, test } from 'vitest';
import { generate } from './generate.js';
import { generateBatch } from './generate-batch.js';
import type { GenerateOptions } from './options.js';
import { beamSearch } from './search/beam-search.js';
import { contrastiveSearch } from './search/contrastive-search.js';

const goldens = fileURLToPath(new URL('../../parity/goldens', import.meta.url));

/** Scores of the next token by one pass over the whole sequence, without a cache. @returns `[1, V]` */
const plainScores = (network: LanguageModel, sequence: readonly number[]): tf.Tensor2D =>
  tf.tidy(() => {
    const ids = tf.tensor2d([...sequence], [1, sequence.length], 'int32');
    return network
      .forward(ids)
      .slice([0, sequence.length - 1, 0], [1, 1, -1])
      .squeeze([1]);
  });

// Keys and values of past tokens stand for the memory of hidden states; within `maxLength` both are one pass over all tokens.
for (const name of ['adaptive', 'plain', 'pre-norm']) {
  describe(`generation of transformer-xl-${name}`, async () => {
    const { network, params } = languageModel(
      await loadModel(folderFiles(`${goldens}/transformer-xl-${name}`)),
    );
    afterAll(() => params.dispose());
    const room = network.maxLength;
    const prompts = [[3, 17, 5], [60], [9, 2]];
    const alone = async (prompt: readonly number[], options: GenerateOptions) => {
      const ids: number[] = [];
      for await (const id of generate(network, prompt, options)) ids.push(id);
      return ids;
    };

    test('greedy and drawn tokens are those of passes without a cache, alone and in a batch', async () => {
      const greedy = { temperature: 0, maxNewTokens: room - 3 };
      const drawn = { temperature: 1.3, topK: 20, seed: 4, maxNewTokens: room - 3 };
      for (const options of [greedy, drawn]) {
        const { sequences } = await generateBatch(network, prompts, options);
        for (const [n, prompt] of prompts.entries()) {
          const made = await alone(prompt, options);
          expect(sequences[n]!.tokens.map(({ id }) => id)).toEqual(made);
          if (options !== greedy) continue;
          const sequence = [...prompt];
          for (const id of made) {
            const scores = plainScores(network, sequence);
            const best = sampleTokens(scores, { temperature: 0 }, 0);
            expect((await best.data())[0]).toBe(id);
            tf.dispose([scores, best]);
            sequence.push(id);
          }
        }
      }
    });

    test('as many beams as there are tokens find the likeliest of all', async () => {
      const { vocabSize } = network;
      const logs = (rows: number[][]) =>
        tf.tidy(() => {
          const ids = tf.tensor2d(rows, [rows.length, rows[0]!.length], 'int32');
          return tf.logSoftmax(network.forward(ids)).arraySync() as number[][][];
        });
      const prompt = prompts[0]!;
      const first = logs([prompt])[0]!.at(-1)!;
      const second = logs(first.map((_, id) => [...prompt, id])).map((row) => row.at(-1)!);
      const scored = second.flatMap((row, a) =>
        row.map((log, b) => ({ ids: [a, b], score: (first[a]! + log) / 2 })),
      );
      scored.sort((a, b) => b.score - a.score);
      const options = { beams: vocabSize, returned: 3, maxNewTokens: 2 };
      const [found] = await beamSearch(network, [prompt], options);
      expect(found!.map(({ ids }) => ids)).toEqual(scored.slice(0, 3).map(({ ids }) => ids));
    });

    test('goes on beyond its length, and a search that needs the head refuses an adaptive one', async () => {
      expect(await alone([1], { temperature: 0, maxNewTokens: 3 * room })).toHaveLength(3 * room);
      const run = contrastiveSearch(network, [[1]], { candidates: 2, penalty: 0.5 });
      if (network.head) await expect(run).resolves.toHaveLength(1);
      else await expect(run).rejects.toThrow('the model has no head of one matrix; expected one');
    });
  });
}
