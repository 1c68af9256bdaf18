import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PackedWeight } from '@headwise/kernels';
import { readSafetensors } from '@headwise/safetensors';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { describeCheckpoint, quantizeModel, type WeightOptions } from '../index.js';
import { createModel, languageModel, type Model } from '../model.js';
import { diskFiles, loadModel, saveModel } from '../node.js';

const config = {
  model_type: 'llama',
  vocab_size: 30,
  hidden_size: 40,
  intermediate_size: 36,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  tie_word_embeddings: true,
};
const folder = () => mkdtempSync(join(tmpdir(), 'packed-'));

/** Every buffer of a model by name, as bytes. */
async function buffersOf({ params }: Model): Promise<Record<string, unknown>> {
  const buffers: Record<string, unknown> = {};
  for (const [path, variable] of Object.entries(params.named())) {
    buffers[path] = await variable.data();
  }
  for (const [path, { packed }] of Object.entries(params.matrices())) {
    if (!(packed instanceof PackedWeight)) continue;
    const { words, scales, bytes: _, ...form } = packed as PackedWeight & { bytes: number };
    buffers[path] = { form, words: await words.data(), scales: await scales?.data() };
  }
  return buffers;
}

describe('a packed model is saved and loaded again, bit for bit', () => {
  const forms: WeightOptions[] = [
    { dtype: 'f16' },
    { dtype: 'int8' },
    { dtype: 'int4' },
    { dtype: 'int4', group: 64 },
    { dtype: 'int4', only: (path) => path.startsWith('blocks') },
  ];
  test.each([
    ...forms.map((form) => ['llama', form] as const),
    ['gpt2', { dtype: 'int8' }] as const,
  ])('%s %o', async (family, form) => {
    const small = {
      model_type: 'gpt2',
      n_embd: 40,
      n_layer: 1,
      n_head: 4,
      n_positions: 16,
      vocab_size: 30,
    };
    const model = createModel((family === 'llama' ? config : small) as never, { seed: 1 });
    const { dtype, ...others } = form as { dtype: 'int8' } & WeightOptions;
    await quantizeModel(model.params, { dtype, ...others } as never);
    const place = folder();
    await saveModel(place, model);
    const again = await loadModel(place);
    expect(again.unusedKeys).toEqual([]);
    expect(await buffersOf(again)).toEqual(await buffersOf(model));
    const ids = tf.tensor2d([[1, 5, 2]], undefined, 'int32');
    const [expected, actual] = [model, again].map((one) =>
      languageModel(one).network.forward(ids).dataSync(),
    );
    expect(actual).toEqual(expected);
    const { parameters } = await describeCheckpoint(diskFiles(place));
    expect(parameters.length).toBe(Object.keys(await buffersOf(model)).length);
    for (const { params } of [model, again]) params.dispose();
  });

  test('the file has what the documentation says', async () => {
    const model = createModel(config as never, { seed: 1 });
    await quantizeModel(model.params, { dtype: 'int4' });
    const place = folder();
    await saveModel(place, model);
    const { quantization_config: quantization } = JSON.parse(
      readFileSync(join(place, 'config.json'), 'utf8'),
    );
    expect(quantization).toMatchObject({ quant_method: 'headwise', version: 1 });
    expect(quantization.matrices['blocks.0.attn.kProj.weight']).toEqual({
      format: 'int4',
      shape: [20, 40],
      group: 32,
    });
    const { tensors } = readSafetensors(readFileSync(join(place, 'model.safetensors')));
    expect(tensors.get('blocks.0.attn.kProj.weight.words')).toMatchObject({
      dtype: 'I32',
      shape: [5, 20],
    });
    expect(tensors.get('blocks.0.attn.kProj.weight.scales')).toMatchObject({ shape: [2, 20] });
    expect(tensors.get('norm.weight')).toMatchObject({ dtype: 'F32', shape: [40] });
    model.params.dispose();
  });
});

describe('what is refused', () => {
  /** A packed model in a folder whose `quantization_config` is changed. */
  async function changed(change: (quantization: Record<string, unknown>) => unknown) {
    const model = createModel(config as never, { seed: 1 });
    await quantizeModel(model.params, { dtype: 'int8' });
    const place = folder();
    await saveModel(place, model);
    model.params.dispose();
    const path = join(place, 'config.json');
    const json = JSON.parse(readFileSync(path, 'utf8'));
    const quantization_config = change(json.quantization_config);
    const other = folder();
    writeFileSync(join(other, 'config.json'), JSON.stringify({ ...json, quantization_config }));
    writeFileSync(join(other, 'model.safetensors'), readFileSync(join(place, 'model.safetensors')));
    return other;
  }

  test.each(['hqq', 'compressed-tensors'])('weights that %s has packed', async (quant_method) => {
    await expect(loadModel(await changed(() => ({ quant_method, bits: 4 })))).rejects.toThrow(
      `config.json: 'quantization_config.quant_method' is "${quant_method}"; expected one of headwise, gptq, awq, fp8, bitsandbytes, or weights that are not packed`,
    );
  });

  test('another version, format or shape, and another type', async () => {
    const place = await changed((quantization) => ({ ...quantization, version: 2 }));
    await expect(loadModel(place)).rejects.toThrow("'quantization_config.version' is 2");
    const path = 'blocks.0.mlp.up.weight';
    const other = (entry: object) =>
      changed(({ matrices, ...rest }) => ({
        ...rest,
        matrices: { ...(matrices as object), [path]: entry },
      }));
    const shape = [36, 40];
    await expect(loadModel(await other({ format: 'int3', shape, group: 40 }))).rejects.toThrow(
      `'quantization_config.matrices.${path}.format' is "int3"`,
    );
    await expect(loadModel(await other({ format: 'int4', shape, group: 32 }))).rejects.toThrow(
      `tensor '${path}.words' is I32 of shape [10, 36]; expected I32 of [5, 36]`,
    );
    const whole = await changed((quantization) => quantization);
    await expect(loadModel(whole, { dtype: 'f32' })).rejects.toThrow(
      'is saved packed in "int8", and is loaded as it is; expected no dtype',
    );
    const model = createModel(config as never, { dtype: 'int8' });
    await expect(saveModel(folder(), model, { dtype: 'f16' })).rejects.toThrow(
      "saveModel: dtype is 'f16', and the model is packed, which is saved as it is; expected no dtype",
    );
    model.params.dispose();
  });
});
