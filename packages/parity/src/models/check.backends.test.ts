import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { folderFiles } from '@headwise/models/node';
import { describeBackends } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import type { Check } from '../receipt.js';
import { checkModel } from './check.js';

const goldens = fileURLToPath(new URL('../../goldens', import.meta.url));

describeBackends('parity with Hugging Face transformers', () => {
  test.each(readdirSync(goldens).filter((name) => !name.startsWith('transformer-xl')))(
    '%s',
    async (name) => {
      const before = tf.memory().numTensors;
      const checks: Check[] = [];
      for await (const each of checkModel(name, folderFiles(`${goldens}/${name}`)))
        checks.push(each);
      expect(checks.filter(({ ok }) => !ok)).toEqual([]);
      expect(tf.memory().numTensors).toBe(before);
    },
  );
});
