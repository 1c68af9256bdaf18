import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTensor } from '@headwise/core';
import { sparseCrossEntropy } from '@headwise/kernels';
import { readSafetensors } from '@headwise/safetensors';
import { expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { placeOf } from '../family.js';
import golden from '../goldens/gpt2.json' with { type: 'json' };
import { createModel, languageModel } from '../model.js';
import { loadModel, saveModel } from '../node.js';
import { gpt2 } from './gpt2.js';

const [reference] = golden.cases;
const { ids, labels, shape, logits, loss, gradients, folder } = reference!;
const [rows, length] = shape as [number, number];

/** The folder that Hugging Face's save_pretrained wrote. */
function referenceFolder(change: (name: string, bytes: Buffer) => Buffer = (_, b) => b): string {
  const path = mkdtempSync(join(tmpdir(), 'headwise-gpt2-'));
  for (const [name, base64] of Object.entries(folder)) {
    writeFileSync(join(path, name), change(name, Buffer.from(base64, 'base64')));
  }
  return path;
}

describe("GPT-2 of Hugging Face's own folder", () => {
  test('gives its logits, its loss and the gradient of every parameter', async () => {
    const model = languageModel(await loadModel(referenceFolder()));
    expect(model.unusedKeys).toEqual([]);
    const input = tf.tensor2d(ids, [rows, length], 'int32');
    await expectClose(model.network.forward(input), logits, { ratio: 1e-5 });

    const params = model.params.named();
    const { value, grads } = tf.variableGrads(() => {
      const scores = model.network.forward(input).reshape<tf.Tensor2D>([rows * length, 31]);
      return sparseCrossEntropy(scores, tf.tensor1d(labels, 'int32')).mean() as tf.Scalar;
    }, Object.values(params));
    expect((await value.data())[0]).toBeCloseTo(loss, 5);
    const compared = new Set<string>();
    for (const [path, variable] of Object.entries(params)) {
      const key = placeOf(model.family.keys(model.config), path).key as keyof typeof gradients;
      const expected = gradients[key];
      expect(variable.shape, key).toEqual(expected.shape);
      await expectClose(grads[variable.name]!, expected.data, { ratio: 1e-5, floor: 1e-8 });
      compared.add(key);
    }
    expect([...compared].sort()).toEqual(Object.keys(gradients).sort());
    model.params.dispose();
  });

  test('is saved under the same keys, with the same bytes for every tensor', async () => {
    const from = referenceFolder();
    const model = languageModel(await loadModel(from));
    const to = mkdtempSync(join(tmpdir(), 'headwise-gpt2-'));
    await saveModel(to, model);
    const [before, after] = [from, to].map((path) =>
      readSafetensors(readFileSync(join(path, 'model.safetensors'))),
    );
    expect([...after!.tensors.keys()].sort()).toEqual([...before!.tensors.keys()].sort());
    for (const name of before!.tensors.keys()) {
      expect(after!.get(name), name).toEqual(before!.get(name));
    }
    const again = languageModel(await loadModel(to));
    const input = tf.tensor2d(ids, [rows, length], 'int32');
    expect(await readTensor(again.network.forward(input))).toEqual(
      await readTensor(model.network.forward(input)),
    );
    model.params.dispose();
    again.params.dispose();
  });

  test('loads without the prefix that checkpoints of the bare model lack', async () => {
    const path = referenceFolder((name, bytes) => {
      if (name !== 'model.safetensors') return bytes;
      const size = Number(bytes.readBigUInt64LE());
      const header = bytes
        .subarray(8, 8 + size)
        .toString()
        .replaceAll('"transformer.', '"');
      bytes.write(header.padEnd(size, ' '), 8);
      return bytes;
    });
    const model = languageModel(await loadModel(path));
    const input = tf.tensor2d(ids, [rows, length], 'int32');
    await expectClose(model.network.forward(input), logits, { ratio: 1e-5 });
    model.params.dispose();
  });
});

describe('a folder that does not hold together is refused', () => {
  const withConfig = (change: Record<string, unknown>) =>
    referenceFolder((name, bytes) =>
      name === 'config.json'
        ? Buffer.from(JSON.stringify({ ...JSON.parse(bytes.toString()), ...change }))
        : bytes,
    );
  const cases: [string, Record<string, unknown>, RegExp][] = [
    [
      'unknown family',
      { model_type: 'gpt9' },
      /config\.json: 'model_type' is "gpt9"; known are headwise, gpt2/,
    ],
    ['wrong type', { n_layer: 'two' }, /config\.json: 'n_layer' is "two": .*expected number/],
    ['heads', { n_head: 3 }, /config\.json: 'n_embd' 20 is not divisible by 'n_head' 3/],
    ['variant', { add_cross_attention: 'yes' }, /config\.json: 'add_cross_attention' is "yes"/],
    [
      'shape',
      { vocab_size: 37 },
      /model\.safetensors: tensor 'transformer\.wte\.weight' has shape \[31, 20\]; .*needs \[37, 20\]/,
    ],
    [
      'missing',
      { n_layer: 3 },
      /model\.safetensors: no tensor 'transformer\.h\.2\.ln_1\.weight', which holds .*'blocks\.2\.norm1\.weight'/,
    ],
  ];
  for (const [name, change, message] of cases) {
    test(name, async () => {
      const before = tf.memory().numTensors;
      await expect(loadModel(withConfig(change))).rejects.toThrow(message);
      expect(tf.memory().numTensors).toBe(before);
    });
  }

  test('tensors that no parameter asks for are named', async () => {
    const model = await loadModel(withConfig({ n_layer: 1 }));
    expect(model.unusedKeys).toHaveLength(12);
    expect(model.unusedKeys).toContain('transformer.h.1.ln_1.weight');
    model.params.dispose();
  });
});

test("a configuration without sizes is Hugging Face's default GPT-2", () => {
  expect(gpt2.parseConfig({ model_type: 'gpt2' })).toMatchObject({
    vocab_size: 50257,
    n_positions: 1024,
    n_embd: 768,
    n_layer: 12,
    n_head: 12,
    activation_function: 'gelu_new',
    layer_norm_epsilon: 1e-5,
  });
});

test('an untied head is a parameter of its own, and every parameter gets a gradient', async () => {
  const { network, params } = createModel({
    model_type: 'gpt2',
    vocab_size: 11,
    n_positions: 7,
    n_embd: 6,
    n_layer: 2,
    n_head: 3,
    tie_word_embeddings: false,
  });
  const named = params.named();
  expect(Object.keys(named)).toContain('head.weight');
  const cotangent = tf.randomNormal([1, 7, 11], 0, 1, 'float32', 3);
  const { grads } = tf.variableGrads(
    () =>
      network
        .forward(tf.tensor2d([0, 1, 2, 3, 4, 5, 6], [1, 7], 'int32'))
        .mul(cotangent)
        .sum(),
    Object.values(named),
  );
  for (const [path, variable] of Object.entries(named)) {
    const size = (await grads[variable.name]!.abs().sum().data())[0];
    expect(size, path).toBeGreaterThan(0);
  }
  params.dispose();
});
