import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadModel } from '@headwise/models';
import { folderFiles } from '@headwise/models/node';
import { cases, describeBackends } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import type { Check } from '../receipt.js';
import { checkModel } from './check.js';

const goldens = fileURLToPath(new URL('../../goldens', import.meta.url));

/** Tensors that a checkpoint has and transformers does not read either. */
const unread: Readonly<Record<string, readonly string[]>> = {
  'bart-untied': ['model.shared.weight'],
};

/** One of each topology and of each way to share heads, one with capped scores, one with tables of scores, one with experts, one of captions of pictures, and one of texts with a place to find; CLIP's towers run together beside this. */
const onWebGpu = [
  'bert',
  'clip-text',
  'deberta',
  'falcon-7b',
  'gemma2',
  'gpt2',
  'llama-gqa-llama3',
  'mixtral',
  't5-v1.1',
  'vision-encoder-decoder',
];

/** Of the later models, those that together have all that is new; on the cpu all run. */
const onWasm = [
  'albert',
  'deberta',
  'gemma3-text',
  'gptj',
  'm2m100',
  'mixtral',
  'olmo3',
  'phi3-longrope',
  'smollm3',
  'umt5',
  'whisper',
  'vision-encoder-decoder',
];
const isLater = (name: string) =>
  /(rotary_decoders|later_pairs|later_encoders|experts|pictures|captions|speech)\.py/.test(
    readFileSync(`${goldens}/${name}/expected.json`, 'utf8'),
  );
const runs: Readonly<Record<string, (name: string) => boolean>> = {
  cpu: () => true,
  wasm: (name) => onWasm.includes(name) || !isLater(name),
  webgpu: (name) => onWebGpu.includes(name),
};

describeBackends('parity with Hugging Face transformers', (backend) => {
  test.each(cases(readdirSync(goldens), runs[backend]!))('%s', async (name) => {
    const files = folderFiles(`${goldens}/${name}`);
    const before = tf.memory().numTensors;
    const checks: Check[] = [];
    for await (const each of checkModel(name, files)) checks.push(each);
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(checks.some(({ part }) => part.startsWith('gradient.'))).toBe(true);
    const { params, unusedKeys } = await loadModel(files);
    expect(unusedKeys).toEqual(unread[name] ?? []);
    params.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
