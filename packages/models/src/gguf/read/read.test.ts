import { createHash } from 'node:crypto';
import { type GgufMetadata, streamGguf } from '@headwise/gguf';
import { writeSafetensors } from '@headwise/safetensors';
import { expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import golden from '../../goldens/gguf.json' with { type: 'json' };
import { type LoadOptions, loadModel } from '../../index.js';
import { languageModel, type Model } from '../../model.js';
import { ggufModel } from '../gguf-model.js';

type Golden = (typeof golden.models)['llama'];
const models = golden.models as unknown as Readonly<Record<string, Golden>>;

/** The values that the script gives a parameter. */
function filled(key: string, shape: readonly number[]): Float32Array {
  const count = shape.reduce((product, size) => product * size, 1);
  return Float32Array.from(
    { length: count },
    (_, i) => (((i * 7919 + 31 * key.length) % 211) - 105) / 512,
  );
}

/** A model of the script, from a checkpoint in Hugging Face's layout. */
async function modelOf({ config, parameters }: Golden): Promise<Model> {
  const tensors = Object.entries(parameters).map(([key, shape]) => [
    key,
    { dtype: 'F32' as const, shape, data: filled(key, shape) },
  ]);
  const files = [
    new File([JSON.stringify(config)], 'config.json'),
    new File([new Uint8Array(writeSafetensors(Object.fromEntries(tensors)))], 'model.safetensors'),
  ];
  return loadModel(files);
}

/** The model as a GGUF file of its own, loaded again. */
async function throughFile(model: Model, options: LoadOptions = {}, more: GgufMetadata = {}) {
  const { metadata, tensors } = ggufModel(model, 'f32');
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of streamGguf({ ...metadata, ...more }, tensors)) {
    chunks.push(new Uint8Array(chunk));
  }
  return loadModel([new File(chunks, 'a.gguf')], options);
}

const scores = async (model: Model): Promise<Float32Array> => {
  const ids = tf.tensor2d([golden.ids], undefined, 'int32');
  return (await languageModel(model).network.forward(ids).data()) as Float32Array;
};

describe.each(Object.entries(models))('%s', (_, expected) => {
  test("is written as llama.cpp's converter writes it", async () => {
    const model = await modelOf(expected);
    const { metadata, tensors } = ggufModel(model, 'f32');
    const digests: Record<string, unknown> = {};
    for (const [key, { shape, values }] of Object.entries(tensors)) {
      const own = await values();
      const digest = createHash('sha256').update(Buffer.from(own.buffer)).digest('hex');
      // Computed ones are compared as numbers.
      const same = key.startsWith('rope_')
        ? [...own].map((value) => expect.closeTo(value, 5))
        : digest.slice(0, 16);
      digests[key] = [[...shape], same];
    }
    expect(expected.tensors).toEqual(digests);
    const written = Object.fromEntries(
      Object.entries(metadata).map(([key, [, value]]) => [key, value]),
    );
    for (const [key, value] of Object.entries(expected.metadata)) {
      // The converter's is a constant.
      if (key === 'falcon.context_length') continue;
      const own =
        typeof value === 'number' && !Number.isInteger(value) ? Math.fround(value) : value;
      const given = written[key];
      expect([key, typeof given === 'number' ? Math.fround(given) : given]).toEqual([key, own]);
    }
    model.params.dispose();
  });

  test("is read with transformers' scores", async () => {
    const model = await modelOf(expected);
    const again = await throughFile(model);
    expect(again.unusedKeys).toEqual([]);
    const logits = new Float32Array(Uint8Array.from(Buffer.from(expected.logits, 'base64')).buffer);
    await expectClose(tf.tensor1d(await scores(again)), [...logits], { ratio: 2e-5 });
    again.params.dispose();
    model.params.dispose();
  });
});
