import { readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readSafetensors } from '@headwise/safetensors';
import { expectClose, gaussian } from '@headwise/testing';
import { test } from 'vitest';
import { loadAdapter, loadModel, saveAdapter, saveModel } from '../node.js';
import { Lora } from './lora.js';

const bloom = fileURLToPath(new URL('../../../parity/goldens/bloom', import.meta.url));

test("B's rows lie as the weight's do in the checkpoint, where heads are interleaved", async () => {
  const model = await loadModel(bloom);
  const lora = new Lora(model.params, { rank: 2, alpha: 6, targets: /blocks\.0\.attn\.qkv$/ });
  const b = lora.params.named()['blocks.0.attn.qkv.loraB']!;
  b.assign(gaussian(b.shape, 5));
  const [adapter, merged] = [
    await mkdtemp(join(tmpdir(), 'a-')),
    await mkdtemp(join(tmpdir(), 'm-')),
  ];
  await saveAdapter(adapter, model, lora);
  lora.params.dispose();
  const again = await loadAdapter(adapter, model);
  again.merge();
  await saveModel(merged, model);

  const read = (folder: string, file: string) => readSafetensors(readFileSync(join(folder, file)));
  const key = 'h.0.self_attention.query_key_value';
  const weightIn = (folder: string) => {
    const file = read(folder, 'model.safetensors');
    const name = [...file.tensors.keys()].find((name) => name.endsWith(`${key}.weight`))!;
    return file.get(name);
  };
  const [before, after] = [weightIn(bloom), weightIn(merged)];
  const [out, inner] = before.shape as [number, number];
  const part = (letter: string) => {
    const file = read(adapter, 'adapter_model.safetensors');
    const name = [...file.tensors.keys()].find((name) =>
      name.endsWith(`${key}.lora_${letter}.weight`),
    )!;
    return file.get(name).data as Float32Array;
  };
  const [A, B] = [part('A'), part('B')];
  // W + (alpha / r) B A, all of it in the order of the files.
  const expected = Float32Array.from({ length: out * inner }, (_, i) => {
    const [row, column] = [Math.floor(i / inner), i % inner];
    const update = B[row * 2]! * A[column]! + B[row * 2 + 1]! * A[inner + column]!;
    return (before.data as Float32Array)[i]! + 3 * update;
  });
  await expectClose(after.data as Float32Array, expected, { ratio: 1e-6 });
  again.params.dispose();
  model.params.dispose();
});
