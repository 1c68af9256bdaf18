import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { languageModel } from '@headwise/models';
import { loadModel } from '@headwise/models/node';
import * as tf from '@tensorflow/tfjs';
import { expect, onTestFinished, test } from 'vitest';
import { classProbabilities } from './class-probabilities.js';
import { perplexities } from './perplexities.js';

interface Golden<V> {
  readonly ids: number[][];
  readonly values: V[];
}

const golden = JSON.parse(
  readFileSync(new URL('../goldens/text-scores.json', import.meta.url), 'utf8'),
) as {
  perplexities: Record<string, Golden<number>>;
  probabilities: Record<string, Golden<number[]>>;
};

async function loaded(name: string) {
  const folder = fileURLToPath(new URL(`../../../parity/goldens/${name}`, import.meta.url));
  const model = await loadModel(folder);
  onTestFinished(() => model.params.dispose());
  return model;
}

test.each(Object.entries(golden.perplexities))(
  '%s: perplexities are those of transformers, of sequences of any length together and alone',
  async (name, { ids, values }) => {
    const { network } = languageModel(await loaded(name));
    const { numTensors } = tf.memory();
    const together = await perplexities(network, ids);
    const alone = await Promise.all(
      ids.map(async (one) => (await perplexities(network, [one]))[0]),
    );
    for (const found of [together, alone]) {
      for (const [n, value] of found.entries()) expect(value! / values[n]!).toBeCloseTo(1, 5);
    }
    expect(await perplexities(network, [[], [3], ids[0]!])).toEqual([
      undefined,
      undefined,
      alone[0],
    ]);
    expect(tf.memory().numTensors).toBe(numTensors);
  },
);

test.each(Object.entries(golden.probabilities))(
  '%s: probabilities of classes are those of transformers, of sequences of unequal lengths',
  async (name, { ids, values }) => {
    const model = await loaded(name);
    const { numTensors } = tf.memory();
    const found = await classProbabilities(model, ids);
    for (const [n, row] of found.entries()) {
      for (const [k, value] of row.entries()) expect(value).toBeCloseTo(values[n]![k]!, 6);
    }
    expect(found.map(({ length }) => length)).toEqual(values.map(({ length }) => length));
    expect(tf.memory().numTensors).toBe(numTensors);
  },
);

test('sequences that cannot be read, and models with another head, are refused by name', async () => {
  const model = await loaded('bert-sequence-classification');
  await expect(classProbabilities(model, [[5], []])).rejects.toThrow(
    'sequence 1 has 0 tokens; expected 1 to 16',
  );
  await expect(classProbabilities(model, [new Array(17).fill(5)])).rejects.toThrow(
    'sequence 0 has 17 tokens; expected 1 to 16',
  );
  await expect(classProbabilities(await loaded('bert-masked-lm'), [[5]])).rejects.toThrow(
    "the model's head is 'masked-language-model'; expected 'sequence-classification'",
  );
  const { network } = languageModel(await loaded('gpt2'));
  await expect(perplexities(network, [[5, 2000]])).rejects.toThrow(/2000/);
});
