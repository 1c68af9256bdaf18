import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { KeyValueCache, StepLoop, stepPlanOf } from '@headwise/decoding';
import { checkedSampling } from '@headwise/kernels/internal';
import { type Recorded, recordedBy } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { languageModel } from './model.js';
import { loadModel } from './node.js';

/** Programs that only move data, by the labels of TensorFlow.js. */
const moves = /^(Transpose|Slice|Concat|Pad|Tile|GatherV2|StridedSlice|Reverse)/;

const goldens = fileURLToPath(new URL('../../parity/goldens', import.meta.url));
const isDecoder = (name: string) => {
  const [kind] = JSON.parse(readFileSync(`${goldens}/${name}/config.json`, 'utf8')).architectures;
  return /ForCausalLM$|LMHeadModel$/.test(kind);
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

for (const name of names) {
  test(`a decoding step of ${name} moves no data: no transposes, slices or concatenations`, async () => {
    const recorded = await stepOf(name);
    expect(recorded.programs.length).toBeGreaterThan(0);
    expect(recorded.programs.filter((label) => moves.test(label))).toEqual([]);
  });
}
