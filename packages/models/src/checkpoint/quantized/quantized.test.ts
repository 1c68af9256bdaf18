import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PackedWeight } from '@headwise/kernels';
import { unpackWeight } from '@headwise/kernels/internal';
import { readSafetensors, type TensorInput, writeSafetensors } from '@headwise/safetensors';
import { expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import golden from '../../goldens/quantized.json' with { type: 'json' };
import { describeCheckpoint, type LoadOptions } from '../../index.js';
import { checkConfigFits } from '../../internal.js';
import { createModel, languageModel, type Model } from '../../model.js';
import { loadModel, saveModel } from '../../node.js';

type Name = keyof typeof golden.cases;
interface Case {
  config: { quantization_config: Record<string, unknown> };
  file: string;
  digests: Record<string, string>;
  logits: number[];
}
const cases = golden.cases as unknown as Readonly<Record<Name, Case>>;
const names = Object.keys(cases) as Name[];
const isKept = (name: Name) => name.startsWith('awq') || /^gptq(?!, inputs)/.test(name);
const bytesOf = (name: Name) => new Uint8Array(Buffer.from(cases[name].file, 'base64'));

const filesOf = (config: unknown, bytes: Uint8Array) => [
  new File([JSON.stringify(config)], 'config.json'),
  new File([new Uint8Array(bytes)], 'model.safetensors'),
];
const load = (name: Name, options: LoadOptions = {}) =>
  loadModel(filesOf(cases[name].config, bytesOf(name)), options);

async function logitsOf(model: Model): Promise<tf.Tensor1D> {
  const ids = tf.tensor2d([golden.ids], undefined, 'int32');
  return languageModel(model).network.forward(ids).flatten();
}

const sha256 = (values: Float32Array) =>
  createHash('sha256')
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest('hex');

/** The values of each matrix in `[Out, In]`, by its key. */
async function digestsOf(model: Model, keys: readonly string[]) {
  const matrices = model.params.matrices();
  const paths = Object.fromEntries(
    (await describeCheckpoint(filesOf(cases.awq.config, bytesOf('awq')))).parameters.map(
      ({ key, path }) => [key, path],
    ),
  );
  const digests: Record<string, string> = {};
  for (const key of keys) {
    const { packed, variable } = matrices[paths[key]!]!;
    const values =
      packed instanceof PackedWeight
        ? tf.tidy(() => unpackWeight(packed).transpose())
        : variable!.clone();
    digests[key] = sha256((await values.data()) as Float32Array);
    values.dispose();
  }
  return digests;
}

describe.each(names)('%s', (name) => {
  const { digests, logits } = cases[name];

  test('has the values and the scores of transformers, as it lies in memory', async () => {
    const model = await load(name);
    expect(model.unusedKeys).toEqual([]);
    expect(await digestsOf(model, Object.keys(digests))).toEqual(digests);
    const packed = Object.values(model.params.matrices()).filter((one) => one.packed);
    expect(packed.length).toBe(isKept(name) ? Object.keys(digests).length : 0);
    await expectClose(await logitsOf(model), logits, { ratio: 2e-5 });
    model.params.dispose();
  });

  test('has them in float32, and in the type that is asked for', async () => {
    const model = await load(name, { dtype: 'f32' });
    expect(await digestsOf(model, Object.keys(digests))).toEqual(digests);
    model.params.dispose();
    const half = await load(name, { dtype: 'f16' });
    const formats = Object.values(half.params.matrices()).map(
      ({ packed }) => (packed as PackedWeight).format,
    );
    expect(new Set(formats)).toEqual(new Set(['f16']));
    await expectClose(await logitsOf(half), logits, { ratio: 5e-3 });
    half.params.dispose();
  });

  test('is described as it is stored', async () => {
    const { parameters, unusedKeys } = await describeCheckpoint(
      filesOf(cases[name].config, bytesOf(name)),
    );
    expect(unusedKeys).toEqual([]);
    const { tensors } = readSafetensors(bytesOf(name));
    const held = [...tensors.values()].reduce((sum, { offsets: [a, b] }) => sum + b - a, 0);
    expect(parameters.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(held);
    const quantised = parameters.filter(({ dtype }) => dtype !== 'F16');
    expect(quantised.map(({ key }) => key).sort()).toEqual(Object.keys(digests).sort());
  });
});

test('a model that stays packed is saved, and loaded again with the same scores', async () => {
  const model = await load('gptq');
  const place = mkdtempSync(join(tmpdir(), 'quantized-'));
  await saveModel(place, model);
  const again = await loadModel(place);
  expect((await logitsOf(again)).dataSync()).toEqual((await logitsOf(model)).dataSync());
  for (const { params } of [model, again]) params.dispose();
});

test('bitsandbytes has the same levels in int8', async () => {
  const model = await load('bitsandbytes', {
    dtype: 'int8',
    only: (path) => /^blocks/.test(path),
  });
  await expectClose(await logitsOf(model), cases.bitsandbytes.logits, { ratio: 2e-5 });
  model.params.dispose();
});

test('memory is counted as the words lie there, and what a configuration needs before any weight', async () => {
  const { config } = cases.gptq;
  await expect(load('gptq', { memoryLimit: 1000 })).rejects.toThrow('available: 1.00 kB');
  const fits = (json: unknown, memoryLimit: number) => () =>
    checkConfigFits(json, 'config.json', { memoryLimit });
  expect(fits(config, 20_000)).not.toThrow();
  expect(fits(cases['fp8, blocks'].config, 20_000)).toThrow('available: 20.0 kB');
});

describe('what is refused', () => {
  const refused: [name: Name, change: Record<string, unknown>, message: string][] = [
    ['gptq', { bits: 3 }, "'quantization_config.bits' is 3: Invalid input: expected 4"],
    [
      'gptq',
      { group_size: 64 },
      "'quantization_config.group_size' is 64, and 'model.layers.0.mlp.down_proj.qweight' has 96 inputs; expected -1 or a multiple of 8 that divides them",
    ],
    [
      'gptq',
      { group_size: 16 },
      "down_proj.qzeros' is I32 of shape [3, 8]; expected I32 of [6, 8], as 'quantization_config.group_size' is 16",
    ],
    [
      'gptq',
      { checkpoint_format: 'marlin' },
      '\'quantization_config.checkpoint_format\' is "marlin"',
    ],
    ['gptq', { dynamic: { lm_head: {} } }, "'quantization_config.dynamic.lm_head'"],
    ['gptq, inputs in the order of activations', { desc_act: false }, "g_idx' has"],
    ['awq', { bits: 8 }, "'quantization_config.bits' is 8: Invalid input: expected 4"],
    ['awq', { version: 'gemv' }, '\'quantization_config.version\' is "gemv"'],
    ['awq', { zero_point: false }, "'quantization_config.zero_point' is false"],
    [
      'fp8, blocks',
      { weight_block_size: [128, 128] },
      "down_proj.weight_scale_inv' is F32 of shape [3, 3]; expected F32 or BF16 or F16 of [1, 1], as 'quantization_config.weight_block_size' is [128,128]",
    ],
    [
      'bitsandbytes',
      { load_in_8bit: false, load_in_4bit: true },
      "'quantization_config.load_in_8bit' is false",
    ],
    ['fp8, blocks', { fmt: 'e5m2' }, '\'quantization_config.fmt\' is "e5m2"'],
  ];
  test.each(refused)('%s %o', async (name, change, message) => {
    const { config } = cases[name];
    const changed = {
      ...config,
      quantization_config: { ...config.quantization_config, ...change },
    };
    await expect(loadModel(filesOf(changed, bytesOf(name)))).rejects.toThrow(message);
  });

  /** A checkpoint with other tensors. */
  function withTensors(name: Name, change: (tensors: Record<string, TensorInput>) => void) {
    const file = readSafetensors(bytesOf(name));
    const tensors = Object.fromEntries(
      [...file.tensors.keys()].map((key) => [key, file.get(key) as TensorInput]),
    );
    change(tensors);
    return filesOf(cases[name].config, writeSafetensors(tensors));
  }
  const q = 'model.layers.0.self_attn.q_proj';

  test('tensors that are missing, and values that are not finite', async () => {
    const missing = withTensors('awq', (tensors) => delete tensors[`${q}.scales`]);
    await expect(loadModel(missing)).rejects.toThrow(`no tensor '${q}.scales'`);
    const index = withTensors('gptq, inputs in the order of activations', (tensors) => {
      (tensors[`${q}.g_idx`]!.data as Int32Array)[5] = 2;
    });
    await expect(loadModel(index)).rejects.toThrow(
      `tensor '${q}.g_idx' has 2 at 5; expected a group below 2`,
    );
    for (const name of ['gptq', 'awq', 'fp8, one scale'] as const) {
      const infinite = withTensors(name, (tensors) => {
        const { data } = tensors[name === 'fp8, one scale' ? `${q}.weight` : `${q}.scales`]!;
        (data as Uint16Array)[3] = name === 'fp8, one scale' ? 0x7f : 0x7c00;
      });
      await expect(loadModel(infinite)).rejects.toThrow(
        `NaN or infinite values in tensor '${q}.weight'`,
      );
    }
  });

  test('another order of bitsandbytes', async () => {
    const tiles = withTensors('bitsandbytes', (tensors) => {
      (tensors[`${q}.weight_format`]!.data as Uint8Array)[0] = 1;
    });
    await expect(loadModel(tiles)).rejects.toThrow(
      `tensor '${q}.weight_format' is 1; expected 0, the order of rows`,
    );
  });

  test('a family whose matrices lie [In, Out]', async () => {
    const quantization_config = cases.gptq.config.quantization_config;
    const gpt2 = { model_type: 'gpt2', n_embd: 64, n_layer: 1, n_head: 4, quantization_config };
    await expect(loadModel(filesOf(gpt2, bytesOf('gptq')))).rejects.toThrow(
      "'quantization_config.quant_method' is 'gptq' and 'model_type' 'gpt2'",
    );
  });
});

describe('a tensor of several parameters, or whose rows lie in another order, is packed as its values say', () => {
  const base = { vocab_size: 24, hidden_size: 32, num_hidden_layers: 1, num_attention_heads: 4 };
  const wide = { ...base, intermediate_size: 48, num_key_value_heads: 2 };
  const families = [
    { model_type: 'phi3', ...wide, pad_token_id: 0 },
    { model_type: 'falcon', ...base, new_decoder_architecture: true, num_kv_heads: 2 },
    { model_type: 'mixtral', ...wide, num_local_experts: 2, num_experts_per_tok: 2 },
  ];

  /** A checkpoint with any words for the matrices of its blocks. */
  async function quantised(config: object, place: string) {
    const model = createModel(config as never, { seed: 2 });
    await saveModel(place, model);
    model.params.dispose();
    const file = readSafetensors(readFileSync(join(place, 'model.safetensors')));
    const json = JSON.parse(readFileSync(join(place, 'config.json'), 'utf8'));
    const tensors: Record<string, TensorInput> = {};
    let seed = 1;
    const random = () => {
      seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
      return seed;
    };
    const ints = (...shape: [number, number]): TensorInput => {
      const data = Int32Array.from({ length: shape[0] * shape[1] }, random);
      return { dtype: 'I32', shape, data };
    };
    for (const [key, { shape }] of file.tensors) {
      const [out, inner] = shape as [number, number];
      if (!key.includes('.0.') || shape.length !== 2 || out % 8 !== 0) {
        tensors[key] = file.get(key) as TensorInput;
        continue;
      }
      const name = key.replace(/weight$/, '');
      tensors[`${name}qweight`] = ints(inner / 8, out);
      tensors[`${name}qzeros`] = ints(inner / 16, out / 8);
      const scales = Float32Array.from({ length: (inner / 16) * out }, () => random() / 2 ** 37);
      tensors[`${name}scales`] = { dtype: 'F32', shape: [inner / 16, out], data: scales };
    }
    const quantization_config = { quant_method: 'gptq', bits: 4, group_size: 16 };
    return filesOf({ ...json, quantization_config }, writeSafetensors(tensors));
  }

  test.each(families)('$model_type', async (config) => {
    const files = await quantised(config, mkdtempSync(join(tmpdir(), 'quantized-')));
    const kept = await loadModel(files);
    const whole = await loadModel(files, { dtype: 'f32' });
    const blocks = Object.entries(kept.params.matrices()).filter(([path]) => /^blocks/.test(path));
    expect(blocks.flatMap(([path, { packed }]) => (packed ? [] : [path]))).toEqual([]);
    expect(kept.unusedKeys).toEqual([]);
    const ids = tf.tensor2d([[1, 5, 2, 9, 3]], undefined, 'int32');
    const [actual, expected] = [kept, whole].map((model) =>
      languageModel(model).network.forward(ids).flatten(),
    );
    await expectClose(actual as tf.Tensor1D, [...expected!.dataSync()], { ratio: 1e-5 });
    for (const { params } of [kept, whole]) params.dispose();
  });
});
