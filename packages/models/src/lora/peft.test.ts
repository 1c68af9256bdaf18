import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sparseCrossEntropy } from '@headwise/kernels';
import { readSafetensors } from '@headwise/safetensors';
import { expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import baseGolden from '../goldens/gpt2.json' with { type: 'json' };
import golden from '../goldens/lora.json' with { type: 'json' };
import { languageModel } from '../model.js';
import { loadAdapter, loadModel, saveAdapter } from '../node.js';
import { AdaptedModel } from './adapted.js';

const [base] = baseGolden.cases;
const [adapter, decomposed] = golden.cases;

function folderOf(
  files: Record<string, string>,
  change = (_: string, text: string) => text,
): string {
  const path = mkdtempSync(join(tmpdir(), 'headwise-lora-'));
  for (const [name, base64] of Object.entries(files)) {
    const bytes = Buffer.from(base64, 'base64');
    writeFileSync(
      join(path, name),
      name.endsWith('.json') ? change(name, bytes.toString()) : bytes,
    );
  }
  return path;
}

const changed = (edit: Record<string, unknown>) =>
  folderOf(adapter!.folder, (_, text) => JSON.stringify({ ...JSON.parse(text), ...edit }));

describe.each([
  ['LoRA', adapter!],
  ['DoRA', decomposed!],
])("an adapter of PEFT's own folder, %s", (kind, adapter) => {
  test('gives its logits, its loss and the gradients of its parameters', async () => {
    const model = languageModel(await loadModel(folderOf(base!.folder)));
    const lora = await loadAdapter(folderOf(adapter.folder), model);
    const network = new AdaptedModel(model.network, lora);
    const ids = tf.tensor2d(base!.ids, base!.shape as [number, number], 'int32');
    await expectClose(network.forward(ids), adapter.logits, { ratio: 1e-5 });
    const params = lora.params.named();
    const { value, grads } = tf.variableGrads(() => {
      const scores = network.forward(ids).reshape<tf.Tensor2D>([base!.labels.length, 31]);
      return sparseCrossEntropy(scores, tf.tensor1d(base!.labels, 'int32')).mean() as tf.Scalar;
    }, Object.values(params));
    expect((await value.data())[0]).toBeCloseTo(adapter.loss, 5);
    const expected = Object.entries(adapter.gradients);
    expect(expected.length).toBe(Object.keys(params).length);
    for (const [key, { data }] of expected) {
      const [, block, part, name] = /h\.(\d)\.(\w+\.\w+)\.lora_(A|B|magnitude)/.exec(key)!;
      const ours = part === 'attn.c_attn' ? 'attn.qkv' : 'mlp.down';
      const own = name === 'magnitude' ? 'Magnitude' : name;
      const variable = params[`blocks.${block}.${ours}.lora${own}`]!;
      await expectClose(grads[variable.name]!, data, { ratio: 1e-5, floor: 1e-8 });
    }
    lora.params.dispose();
    model.params.dispose();
  });

  test('is saved with the same tensors, and loads again', async () => {
    const model = languageModel(await loadModel(folderOf(base!.folder)));
    const from = folderOf(adapter.folder);
    const lora = await loadAdapter(from, model);
    const to = join(mkdtempSync(join(tmpdir(), 'headwise-lora-')), 'not', 'there');
    await saveAdapter(to, model, lora);
    const [before, after] = [from, to].map((path) =>
      readSafetensors(readFileSync(join(path, 'adapter_model.safetensors'))),
    );
    expect([...after!.tensors.keys()].sort()).toEqual([...before!.tensors.keys()].sort());
    for (const key of before!.tensors.keys())
      expect(after!.get(key), key).toEqual(before!.get(key));
    const config = JSON.parse(readFileSync(join(to, 'adapter_config.json'), 'utf8'));
    expect(config).toMatchObject({ peft_type: 'LORA', r: 3, lora_alpha: 5, fan_in_fan_out: true });
    expect(config.use_dora).toBe(kind === 'DoRA');
    const again = await loadAdapter(to, model);
    expect(again.paths).toEqual(lora.paths);
    const file = join(to, 'adapter_config.json');
    await expect(saveAdapter(file, model, lora)).rejects.toThrow(
      `${file}: cannot be made a folder: it is a file`,
    );
    for (const { params } of [again, lora, model]) params.dispose();
  });
});

describe('an adapter', () => {
  test('is refused where it is of another kind, or does not fit', async () => {
    const model = languageModel(await loadModel(folderOf(base!.folder)));
    const refused = (edit: Record<string, unknown>) =>
      expect(loadAdapter(changed(edit), model)).rejects;
    await refused({ use_dora: true }).toThrow(/no tensor .*lora_magnitude_vector'/);
    await refused({ use_dora: true, lora_bias: true }).toThrow(
      /adapter_config\.json: 'use_dora' and 'lora_bias' are true/,
    );
    await refused({ peft_type: 'IA3' }).toThrow(/'peft_type' is "IA3"/);
    await refused({ target_modules: ['q_proj'] }).toThrow(
      /no linear map of the model has this name/,
    );
    await refused({ r: 4 }).toThrow(/lora_A\.weight' has shape \[3, 20\]; expected \[4, 20\]/);
    await refused({ target_modules: ['c_attn'] }).toThrow(/no place for .*mlp\.c_proj/);
    await refused({ target_modules: ['c_attn', 'c_proj'] }).toThrow(/no tensor .*attn\.c_proj/);
    model.params.dispose();
  });
});
