import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { KeyValueCache, StepLoop, stepPlanOf } from '@headwise/decoding';
import { checkedSampling } from '@headwise/kernels/internal';
import { movesOf, type Recorded, recordedBy } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { languageModel } from './model.js';
import { loadModel } from './node.js';

const goldens = fileURLToPath(new URL('../../parity/goldens', import.meta.url));
const isDecoder = (name: string) => {
  const config = JSON.parse(readFileSync(`${goldens}/${name}/config.json`, 'utf8'));
  const [kind] = config.architectures;
  // A decoder that reads an encoder's output takes no prompt alone.
  return !config.add_cross_attention && /ForCausalLM$|LMHeadModel$/.test(kind);
};
const names = readdirSync(goldens, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && isDecoder(entry.name))
  .map(({ name }) => name)
  // These have no fused step, their layers run: Transformer-XL's positions turn distances.
  .filter((name) => !name.startsWith('transformer-xl'));

/** What the fused step records for one token, once there is room in the cache. */
async function stepOf(name: string): Promise<Recorded> {
  const { network, params } = languageModel(await loadModel(`${goldens}/${name}`));
  const plan = stepPlanOf(network)!;
  const cache = new KeyValueCache();
  tf.dispose(network.forward(tf.tensor2d([1, 2, 3], [1, 3], 'int32'), { cache }));
  const sampling = checkedSampling({ temperature: 0 });
  const loop = new StepLoop(plan, cache, { sampling, maxLength: network.maxLength });
  const draw = (position: number) => {
    const history = { history: [1, 2, 3, 4, 5].slice(0, position + 1), banned: new Set<number>() };
    return loop.draw({ id: position + 1, position }, [1], history);
  };
  await draw(3);
  const recorded = await recordedBy(() => draw(4));
  loop.dispose();
  cache.dispose();
  plan.dispose();
  params.dispose();
  return recorded;
}

/** What the layers record for a prompt, and for tokens that follow it, of two sequences of different lengths. */
async function passesOf(name: string): Promise<Record<'prompt' | 'later', Recorded>> {
  const { network, params } = languageModel(await loadModel(`${goldens}/${name}`));
  const cache = new KeyValueCache();
  const pass = (ids: number[][], lengths: number[]) =>
    recordedBy(() => {
      const given = tf.tensor2d(ids, undefined, 'int32');
      tf.dispose([given, network.forward(given, { cache, lengths })]);
    });
  const prompt = await pass(
    [
      [1, 2, 3, 4, 5],
      [6, 7, 8, 0, 0],
    ],
    [5, 3],
  );
  const later = await pass(
    [
      [1, 2, 3],
      [4, 5, 0],
    ],
    [3, 2],
  );
  cache.dispose();
  params.dispose();
  return { prompt, later };
}

for (const name of names) {
  test(`a prompt and later tokens of ${name} move no data through the layers`, async () => {
    const passes = await passesOf(name);
    for (const recorded of Object.values(passes)) {
      expect(recorded.programs.length).toBeGreaterThan(0);
      expect(movesOf(recorded)).toEqual([]);
    }
  });

  test(`a decoding step of ${name} moves no data: no transposes, slices or concatenations`, async () => {
    const recorded = await stepOf(name);
    expect(recorded.programs.length).toBeGreaterThan(0);
    expect(movesOf(recorded)).toEqual([]);
  });
}
