import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { KeyValueCache } from '@headwise/decoding';
import { cases, describeBackends, expectClose } from '@headwise/testing';
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
  .map(({ name }) => name);

/** One of each kind of position; on the cpu all run. */
const onWebGpu = ['bloom', 'gpt2', 'llama-gqa-llama3', 'mistral', 'transformer-xl-plain'];

/** Of the later decoders, those whose layers differ in positions or windows, and one whose heads turn in part. */
const onWasm = ['gemma3-text', 'gptj', 'smollm3'];
const isLater = (name: string) =>
  readFileSync(`${goldens}/${name}/expected.json`, 'utf8').includes('rotary_decoders.py');
const runs: Readonly<Record<string, (name: string) => boolean>> = {
  cpu: () => true,
  wasm: (name) => onWasm.includes(name) || !isLater(name),
  webgpu: (name) => onWebGpu.includes(name),
};

describeBackends('decoding with a cache', (backend) => {
  test('is tested for every family of decoders', () => {
    expect(names.length).toBeGreaterThanOrEqual(16);
  });

  // Beyond 4 tokens, its cached keys keep the frequencies of shorter sequences.
  const evenly = names.filter((name) => name !== 'phi3-long');
  for (const name of cases(evenly, (name) => runs[backend]!(name))) {
    test(`${name}: token by token, or some at once, equals one pass`, async () => {
      const { network, params } = languageModel(await loadModel(`${goldens}/${name}`));
      // Beyond the 8 tokens that it was trained on, dynamic scaling turns keys by the length of their time.
      const length = 8;
      const ids = tf.tensor2d(
        Array.from({ length: 2 * length }, (_, i) => (i * 37 + 11) % network.vocabSize),
        [2, length],
        'int32',
      );
      const whole = network.forward(ids);
      for (const pieces of [Array<number>(length).fill(1), [4, 3, 1]]) {
        const cache = new KeyValueCache();
        let start = 0;
        const parts = pieces.map((count) => {
          const piece = ids.slice([0, start], [2, count]);
          start += count;
          return network.forward(piece, { cache });
        });
        const ratio = tf.getBackend() === 'webgpu' ? 1e-4 : 1e-5;
        await expectClose(tf.concat(parts, 1), whole, { ratio });
        tf.dispose(parts);
        cache.dispose();
      }
      tf.dispose([ids, whole]);
      params.dispose();
    });
  }
});
