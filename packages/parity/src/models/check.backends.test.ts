import { readdirSync } from 'node:fs';
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

/** One of each topology and of each way to share heads; on the other backends all run. */
const onWebGpu = ['bert', 'falcon-7b', 'gpt2', 'llama-gqa-llama3', 't5-v1.1'];

describeBackends('parity with Hugging Face transformers', (backend) => {
  const few = (name: string) => backend !== 'webgpu' || onWebGpu.includes(name);
  test.each(cases(readdirSync(goldens), few))('%s', async (name) => {
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
