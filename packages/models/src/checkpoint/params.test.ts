import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Layer, ParamStore } from '@headwise/core';
import { Embedding, LayerNorm } from '@headwise/layers';
import { expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { loadParams, saveParams } from '../node.js';

/** A network that is built by hand. */
function built(seed: number, dim = 4): { params: ParamStore; network: Layer } {
  const params = new ParamStore({ seed });
  const tokens = new Embedding(params.at('tokens'), { count: 7, dim });
  const norm = new LayerNorm(params.at('norm'), { dim });
  return { params, network: { forward: (ids) => norm.forward(tokens.forward(ids)) } };
}

const folder = () => mkdtempSync(join(tmpdir(), 'headwise-params-'));
const ids = tf.tensor2d([[1, 5, 2]], [1, 3], 'int32');

test('the parameters of a network built by hand come back by their paths', async () => {
  for (const options of [{}, { shardBytes: 40 }]) {
    const [saved, loaded] = [built(1), built(2)];
    const out = folder();
    await saveParams(out, saved.params, options);
    await expect(
      expectClose(loaded.network.forward(ids), saved.network.forward(ids)),
    ).rejects.toThrow();
    expect(await loadParams(out, loaded.params)).toEqual({ unusedKeys: [] });
    await expectClose(loaded.network.forward(ids), saved.network.forward(ids), { ratio: 0 });
    for (const { params } of [saved, loaded]) params.dispose();
  }
});

test('what does not fit is named, and changes nothing', async () => {
  const [small, wide] = [built(1), built(2, 6)];
  const out = folder();
  await saveParams(out, small.params);
  const before = await wide.network.forward(ids).data();
  await expect(loadParams(out, wide.params)).rejects.toThrow(
    /the tensor has shape \[7, 4\], expected \[7, 6\] of parameter 'tokens.weight'/,
  );
  wide.params.get('bias', [2], () => new Float32Array(2));
  await expect(loadParams(out, wide.params)).rejects.toThrow("no tensor holds parameter 'bias'");
  expect(await wide.network.forward(ids).data()).toEqual(before);
  // A part of what is saved is enough for a part of a network.
  const tokens = new ParamStore();
  tokens.get('tokens.weight', [7, 4], () => new Float32Array(28));
  const { unusedKeys } = await loadParams(out, tokens);
  expect(unusedKeys.sort()).toEqual(['norm.bias', 'norm.weight']);
  await expect(saveParams(out, {} as never)).rejects.toThrow('saveParams: params is an object');
  for (const { params } of [small, wide]) params.dispose();
  tokens.dispose();
});
