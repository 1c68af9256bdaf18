import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTensor } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { expect, onTestFinished, test } from 'vitest';
import { createModel, describeCheckpoint, Lora, type Model } from '../index.js';
import { folderFiles, loadAdapter, loadModel, saveAdapter, saveModel } from '../node.js';

const root = mkdtempSync(join(tmpdir(), 'headwise-save-'));

function modelOf(seed: number): Model {
  const model = createModel(
    { model_type: 'gpt2', vocab_size: 13, n_positions: 8, n_embd: 8, n_layer: 2, n_head: 2 },
    { seed },
  );
  onTestFinished(() => model.params.dispose());
  return model;
}

async function valuesOf({ params }: Model): Promise<number[]> {
  const all = await Promise.all(Object.values(params.named()).map((p) => readTensor(p)));
  return all.flatMap((values) => [...values]);
}

async function loaded(folder: string): Promise<number[]> {
  const model = await loadModel(folder);
  onTestFinished(() => model.params.dispose());
  return valuesOf(model);
}

const sharded = { shardBytes: 2000 };

test('a model that fails half-way leaves the one that was there, whole', async () => {
  const folder = join(root, 'half-way');
  const [first, second] = [modelOf(1), modelOf(2)];
  await saveModel(folder, first, sharded);
  const names = readdirSync(folder).sort();
  expect(names.length).toBeGreaterThan(5);
  const [path, last] = Object.entries(second.params.named()).at(-1)!;
  last.assign(tf.fill(last.shape, Number.NaN));
  expect(path).toBe('norm.bias');
  await expect(saveModel(folder, second, sharded)).rejects.toThrow(
    "tensor 'transformer.ln_f.bias': 8 of 8 values are NaN or infinite; expected finite ones",
  );
  expect(readdirSync(folder).sort()).toEqual(names);
  expect(await loaded(folder)).toEqual(await valuesOf(first));
  last.assign(tf.zeros(last.shape));
  await saveModel(folder, second);
  expect(await loaded(folder)).toEqual(await valuesOf(second));
});

test('a flipped bit in any file of a model or an adapter is noticed', async () => {
  const model = modelOf(3);
  const folder = join(root, 'flipped');
  await saveModel(folder, model, sharded);
  const lora = new Lora(model.params, { rank: 2, targets: /attn/ });
  onTestFinished(() => lora.params.dispose());
  await saveAdapter(folder, model, lora);
  const names = readdirSync(folder).filter((name) => name !== 'headwise-manifest.json');
  expect(names.length).toBeGreaterThan(7);
  for (const [i, name] of names.entries()) {
    const path = join(folder, name);
    const bytes = readFileSync(path);
    // The last one is data, or the end of a text: no reader would miss it.
    for (const at of [
      bytes.length - 1,
      Math.floor((bytes.length * (i + 1)) / (names.length + 1)),
    ]) {
      const flipped = Buffer.from(bytes);
      flipped[at]! ^= 1 << (i % 8);
      writeFileSync(path, flipped);
      const read = name.startsWith('adapter') ? loadAdapter(folder, model) : loadModel(folder);
      await expect(read, `${name}, byte ${at}`).rejects.toThrow(name);
    }
    writeFileSync(path, bytes);
  }
  expect(await loaded(folder)).toEqual(await valuesOf(model));
});

test('a folder without a manifest is read as it is', async () => {
  const model = modelOf(4);
  const folder = join(root, 'bare');
  await saveModel(folder, model);
  const config = join(folder, 'config.json');
  const json = JSON.parse(readFileSync(config, 'utf8'));
  writeFileSync(config, JSON.stringify({ ...json, n_ctx: 8 }));
  await expect(loadModel(folder)).rejects.toThrow(
    /config\.json: has \d+ bytes; \d+ were saved\. .*remove headwise-manifest\.json/,
  );
  rmSync(join(folder, 'headwise-manifest.json'));
  expect(await loaded(folder)).toEqual(await valuesOf(model));
});

test.skipIf(process.platform === 'win32')(
  'a FIFO in the place of any file is refused, not waited for',
  async () => {
    const model = modelOf(5);
    const saved = join(root, 'saved');
    await saveModel(saved, model, sharded);
    const lora = new Lora(model.params, { rank: 2, targets: /attn/ });
    onTestFinished(() => lora.params.dispose());
    await saveAdapter(saved, model, lora);
    for (const [i, name] of readdirSync(saved).entries()) {
      const folder = join(root, `fifo-${i}`);
      cpSync(saved, folder, { recursive: true });
      // As other programs leave it.
      rmSync(join(folder, 'headwise-manifest.json'));
      rmSync(join(folder, name), { force: true });
      expect(spawnSync('mkfifo', [join(folder, name)]).status).toBe(0);
      const refused = `${join(folder, name)}: is not a regular file, but a FIFO`;
      const read = name.startsWith('adapter') ? loadAdapter(folder, model) : loadModel(folder);
      await expect(read, name).rejects.toThrow(refused);
      if (!name.startsWith('adapter')) {
        await expect(describeCheckpoint(folderFiles(folder)), name).rejects.toThrow(refused);
      }
    }
  },
);

test('whole numbers of settings that transformers declares as floats have a point', async () => {
  const folder = join(root, 'floats');
  const goldens = new URL('../../../parity/goldens/', import.meta.url).pathname;
  const model = await loadModel(`${goldens}gemma3-text`);
  onTestFinished(() => model.params.dispose());
  await saveModel(folder, model);
  const text = readFileSync(join(folder, 'config.json'), 'utf8');
  expect(text).toContain('"final_logit_softcapping": 2.0');
  expect(text).toContain('"factor": 4.0');
});
