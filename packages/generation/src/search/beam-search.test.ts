import { fileURLToPath } from 'node:url';
import { createModel, loadModel } from '@headwise/models';
import { folderFiles } from '@headwise/models/node';
import { cases, chiSquaredP } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { afterAll, describe, expect, test } from 'vitest';
import type { Generator } from '../batch-scores.js';
import golden from '../goldens/beams.json' with { type: 'json' };
import type { BeamSearchOptions } from './beam-options.js';
import { beamSearch } from './beam-search.js';
import type { EarlyStopping } from './beams.js';
import { parseSearchConfig } from './search-config.js';

const goldens = fileURLToPath(new URL('../../../parity/goldens', import.meta.url));

interface Found {
  sequences: readonly (readonly number[])[];
  scores: readonly number[];
}
interface GoldenCase {
  model: string;
  config: Record<string, unknown>;
  prompts: readonly (readonly number[])[];
  alone: readonly Found[];
}

const all = golden.cases as unknown as GoldenCase[];
for (const [at, name] of [...new Set(all.map(({ model }) => model))].entries()) {
  describe(`beam search of ${name}`, async () => {
    const { network, params } = await loadModel(folderFiles(`${goldens}/${name}`));
    afterAll(() => params.dispose());
    const own = all.filter((one) => one.model === name);
    for (const { config, prompts, alone } of cases(
      own,
      (_, i) => i === at % 5 || i === (at + 2) % 5,
    )) {
      test(`${JSON.stringify(config)} finds Hugging Face's sequences, alone and in a batch`, async () => {
        const before = tf.memory().numTensors;
        const { beams: options } = parseSearchConfig(config, 'config');
        const found = await beamSearch(network as Generator, prompts, options!);
        const [first] = await beamSearch(network as Generator, prompts.slice(0, 1), options!);
        expect(first!.map(({ ids }) => ids)).toEqual(alone[0]!.sequences);
        for (const [n, { sequences, scores }] of alone.entries()) {
          expect(
            found[n]!.map(({ ids }) => ids),
            `prompt ${n}`,
          ).toEqual(sequences);
          for (const [i, score] of scores.entries()) {
            expect(found[n]![i]!.score).toBeCloseTo(score, 3);
          }
        }
        expect(tf.memory().numTensors).toBe(before);
      });
    }
  });
}

describe('beamSearch', () => {
  const sizes = { vocab_size: 5, n_positions: 8, n_embd: 8, n_layer: 1, n_head: 2 };
  const { network, params } = createModel(
    { model_type: 'gpt2', ...sizes, initializer_range: 1 },
    { seed: 2 },
  );
  afterAll(() => params.dispose());

  test('as many beams as sequences find the likeliest of all', async () => {
    const scored: { ids: number[]; score: number }[] = [];
    for (let a = 0; a < 5; a++) {
      for (let b = 0; b < 5; b++) {
        const logs = tf.tidy(() =>
          tf.logSoftmax(network.forward(tf.tensor2d([[3, a]], [1, 2], 'int32'))).arraySync(),
        ) as number[][][];
        scored.push({ ids: [a, b], score: (logs[0]![0]![a]! + logs[0]![1]![b]!) / 2 });
      }
    }
    scored.sort((a, b) => b.score - a.score);
    const options = { beams: 5, returned: 3, maxNewTokens: 2 };
    const [found] = await beamSearch(network, [[3]], options);
    for (const [i, { ids, score }] of found!.entries()) {
      expect(ids).toEqual(scored[i]!.ids);
      expect(score).toBeCloseTo(scored[i]!.score, 5);
    }
  });

  test('beam sampling draws first tokens as often as their probability says', async () => {
    const counts = [0, 0, 0, 0, 0];
    const draws = 400;
    for (let i = 0; i < draws; i++) {
      const [found] = await beamSearch(network, [[3]], {
        beams: 1,
        sample: true,
        seed: i,
        maxNewTokens: 1,
      });
      counts[found![0]!.ids[0]!]!++;
    }
    const logits = tf.tidy(() => network.forward(tf.tensor2d([[3]], [1, 1], 'int32')).flatten());
    const probabilities = await tf.softmax(logits).data();
    expect(chiSquaredP(counts, probabilities)).toBeGreaterThan(0.001);
    logits.dispose();
  });

  test('refuses what it cannot use', async () => {
    const run = (options: BeamSearchOptions) => beamSearch(network, [[1]], options);
    await expect(run({ beams: 0 })).rejects.toThrow('beams is 0; expected a whole number from 1');
    await expect(run({ beams: 2, returned: 3 })).rejects.toThrow('returned is 3; expected a whole');
    await expect(run({ beams: 2, lengthPenalty: Number.NaN })).rejects.toThrow(
      'lengthPenalty is NaN',
    );
    await expect(run({ beams: 2, guidanceScale: 2 })).rejects.toThrow(
      'guidanceScale is 2 for a beam',
    );
    await expect(
      run({ beams: 2, earlyStopping: 'soon' as unknown as EarlyStopping }),
    ).rejects.toThrow("earlyStopping is soon; expected true, false or 'never'");
    expect(await run({ beams: 2, maxNewTokens: 0 })).toEqual([[]]);
  });
});
