import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isEncoder, isEncoderDecoder } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { afterAll, expect, test } from 'vitest';
import golden from './goldens/ten-steps.json' with { type: 'json' };
import type { Model } from './index.js';
import { loadModel } from './node.js';

const root = mkdtempSync(join(tmpdir(), 'headwise-ten-steps-'));
afterAll(() => rmSync(root, { recursive: true }));

/** A golden with another configuration. */
function changed(name: string, change: Record<string, unknown>): string {
  const folder = mkdtempSync(join(root, `${name}-`));
  cpSync(new URL(`../../parity/goldens/${name}`, import.meta.url).pathname, folder, {
    recursive: true,
  });
  const path = join(folder, 'config.json');
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...change }));
  return folder;
}

function logitsOf({ network }: Model, ids: tf.Tensor): tf.Tensor {
  if (isEncoderDecoder(network)) return network.decode(ids, network.encode(ids));
  return isEncoder(network) ? network.forward(ids).logits! : network.forward(ids);
}

for (const { name, change, ids, labels, losses } of golden.cases) {
  test(`ten steps of ${name} with ${JSON.stringify(change)} are those of PyTorch`, async () => {
    const model = await loadModel(changed(name, change));
    // transformers keeps it constant.
    const { logitsBias: _, ...params } = model.params.named();
    const batch = tf.tensor2d(ids, [2, 8], 'int32');
    const targets = tf.tensor1d(labels.flat(), 'int32');
    for (const loss of losses) {
      const { value, grads } = tf.variableGrads(() => {
        const logits = logitsOf(model, batch);
        const scores = logits.reshape<tf.Tensor2D>([16, -1]).logSoftmax();
        const hit = tf.oneHot(targets, scores.shape[1]!);
        return scores.mul(hit).sum().div(-16) as tf.Scalar;
      }, Object.values(params));
      // Both in float32, whose roundings grow from step to step; a row of padding that learns is 1e-3 off.
      expect((await value.data())[0]! / loss).toBeCloseTo(1, 4);
      for (const variable of Object.values(params)) {
        tf.tidy(() => variable.assign(variable.sub(grads[variable.name]!.mul(golden.rate))));
      }
      tf.dispose([value, ...Object.values(grads)]);
    }
    tf.dispose([batch, targets]);
    model.params.dispose();
  });
}
