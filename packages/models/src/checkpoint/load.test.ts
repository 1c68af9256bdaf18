import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PackedWeight } from '@headwise/kernels';
import {
  readSafetensors,
  type TensorInput,
  toFloat32,
  writeSafetensors,
} from '@headwise/safetensors';
import * as tf from '@tensorflow/tfjs';
import { afterAll, describe, expect, test } from 'vitest';
import { families, type LoadProgress, loadModel as loadAnywhere } from '../index.js';
import { checkpointTensors } from '../internal.js';
import { loadModel, saveModel, saveParams } from '../node.js';

const goldens = new URL('../../../parity/goldens/', import.meta.url).pathname;
const root = mkdtempSync(join(tmpdir(), 'headwise-load-'));
afterAll(() => rmSync(root, { recursive: true }));

const configOf = (folder: string) => JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
const tensorsOf = (folder: string) => {
  const file = readSafetensors(readFileSync(join(folder, 'model.safetensors')));
  return new Map([...file.tensors.keys()].map((key) => [key, file.get(key)]));
};

/** A copy of GPT-2's folder, with another configuration and other tensors. */
function gpt2With(
  change: Record<string, unknown> = {},
  tensors?: (all: Map<string, TensorInput>) => void,
): string {
  const folder = mkdtempSync(join(root, 'gpt2-'));
  cpSync(join(goldens, 'gpt2'), folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...configOf(folder), ...change }));
  if (tensors) {
    const all = tensorsOf(folder);
    tensors(all);
    writeFileSync(join(folder, 'model.safetensors'), writeSafetensors(Object.fromEntries(all)));
  }
  return folder;
}

/** Every value of a model, by the key that it is saved under. */
async function valuesOf(model: Parameters<typeof checkpointTensors>[0]) {
  const values = new Map<string, Float32Array>();
  for (const [key, { data }] of Object.entries(checkpointTensors(model))) {
    values.set(key, (await data()) as Float32Array);
  }
  return values;
}

const known = readdirSync(goldens).filter(
  (name) => families[configOf(join(goldens, name)).model_type],
);

describe("a folder of Hugging Face's", () => {
  for (const name of known) {
    test(`${name}: every tensor goes in and comes out as it was`, async () => {
      const folder = join(goldens, name);
      const model = await loadModel(folder);
      // With tables of each side and a head of its own, nothing reads the shared one.
      const unread = name === 'bart-untied' ? ['model.shared.weight'] : [];
      expect(model.unusedKeys).toEqual(unread);
      expect(model.newPaths).toEqual([]);
      const values = await valuesOf(model);
      const before = tensorsOf(folder);
      const computed = Object.keys(model.family.buffers?.(model.config) ?? {});
      for (const [key, given] of values) {
        // No caption depends on ViT's pooler: it is saved as zeros.
        if (/^encoder\.pooler\./.test(key) && given.every((value) => value === 0)) continue;
        const { data } = before.get(key)!;
        if (!computed.includes(key)) expect(given, key).toEqual(data);
        else
          for (const [i, value] of given.entries())
            expect(value, key).toBeCloseTo(Number(data[i]), 6);
      }
      const lost = [...before.keys()].filter((key) => !values.has(key));
      expect(lost.filter((key) => !model.family.ignoredKeys.test(key))).toEqual(unread);
      model.params.dispose();
    });
  }

  test('half precision and bfloat16 are read as the numbers that they are', async () => {
    for (const dtype of ['F16', 'BF16'] as const) {
      const narrow = new Map<string, Float32Array>();
      const folder = gpt2With({}, (all) => {
        for (const [key, { shape, data }] of all) {
          const bits = Uint16Array.from(data as Float32Array, (value) =>
            dtype === 'BF16' ? bitsOf(value) >>> 16 : halfBitsOf(value),
          );
          narrow.set(key, toFloat32({ dtype, data: bits }));
          all.set(key, { dtype, shape, data: bits });
        }
      });
      const model = await loadModel(folder);
      for (const [key, values] of await valuesOf(model)) {
        expect(values, `${dtype} ${key}`).toEqual(narrow.get(key));
      }
      model.params.dispose();
    }
  });

  test('weights of linear maps and embeddings lie in half precision where that is asked for', async () => {
    const model = await loadModel(join(goldens, 'gpt2'), { dtype: 'f16' });
    const matrices = Object.values(model.params.matrices());
    expect(matrices.length).toBe(13);
    for (const { packed } of matrices) expect(packed).toBeInstanceOf(PackedWeight);
    expect(model.params.count()).toBe((await loadModel(join(goldens, 'gpt2'))).params.count());
    model.params.dispose();
  });

  test('a type that is none of those known is refused', async () => {
    for (const dtype of ['float16', 'F16', 'bf16']) {
      await expect(loadModel(join(goldens, 'gpt2'), { dtype: dtype as never })).rejects.toThrow(
        `loadModel: dtype is '${dtype}'; expected one of f32, f16, int8, int4`,
      );
    }
  });

  test.each([
    [{ dtype: 'int8', group: 64 }, "group is 64 with dtype 'int8'; only int4 has groups"],
    [{ dtype: 'int4', group: 48 }, 'group is 48; expected one of 32, 64'],
    [{ dtype: 'int8', only: 'head' }, 'only is "head"; expected a function of a parameter\'s path'],
    [{ only: () => true }, "only is given with dtype 'f32', which packs nothing"],
  ])('options of the weights that could have no effect are refused: %o', async (options, said) => {
    await expect(loadModel(join(goldens, 'gpt2'), options as never)).rejects.toThrow(said);
  });

  test('progress counts every byte once, and an abort stops the loading', async () => {
    const seen: LoadProgress[] = [];
    const before = tf.memory().numTensors;
    const model = await loadModel(join(goldens, 'gpt2'), { onProgress: (p) => seen.push(p) });
    const { size } = tensorsOf(join(goldens, 'gpt2'));
    expect(seen).toHaveLength(size);
    expect(seen.at(-1)!.loadedBytes).toBe(seen[0]!.totalBytes);
    model.params.dispose();
    const stop = new AbortController();
    const stopped = loadModel(join(goldens, 'gpt2'), {
      signal: stop.signal,
      onProgress: ({ loadedBytes }) => loadedBytes > 10_000 && stop.abort(),
    });
    await expect(stopped).rejects.toThrow(/abort/);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('is the same from files that a person chose', async () => {
    const files = ['config.json', 'model.safetensors', 'expected.json'].map(
      (name) => new File([readFileSync(join(goldens, 'gpt2', name))], name),
    );
    const [chosen, read] = [await loadAnywhere(files), await loadModel(join(goldens, 'gpt2'))];
    expect(await valuesOf(chosen)).toEqual(await valuesOf(read));
    await expect(loadAnywhere([...files, files[0]!])).rejects.toThrow(
      'config.json: chosen 2 times; expected the files of one folder',
    );
    await expect(loadAnywhere(files.slice(1))).rejects.toThrow('config.json: is missing');
    chosen.params.dispose();
    read.params.dispose();
  });
});

describe('shards', () => {
  function sharded(change: (map: Record<string, string>) => void = () => {}): string {
    const folder = gpt2With();
    const all = [...tensorsOf(folder)];
    rmSync(join(folder, 'model.safetensors'));
    const map: Record<string, string> = {};
    [all.slice(0, 20), all.slice(20)].forEach((part, i) => {
      const name = `model-0000${i + 1}-of-00002.safetensors`;
      writeFileSync(join(folder, name), writeSafetensors(Object.fromEntries(part)));
      for (const [key] of part) map[key] = name;
    });
    change(map);
    const index = { metadata: { total_size: 0 }, weight_map: map };
    writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify(index));
    return folder;
  }

  test('are one model', async () => {
    const [parts, whole] = [await loadModel(sharded()), await loadModel(join(goldens, 'gpt2'))];
    expect(await valuesOf(parts)).toEqual(await valuesOf(whole));
    parts.params.dispose();
    whole.params.dispose();
  });

  const wte = 'transformer.wte.weight';
  const cases: [string, (map: Record<string, string>) => void, RegExp][] = [
    [
      'a missing file',
      (map) => (map[wte] = 'lost.safetensors'),
      /index\.json: names 'lost\.safetensors', which is missing/,
    ],
    [
      'a path out of the folder',
      (map) => (map[wte] = '../model.safetensors'),
      /"transformer\.wte\.weight": lies in "\.\.\/model\.safetensors", expected the name/,
    ],
    [
      'a path through the folder',
      (map) => (map[wte] = 'a\\b.safetensors'),
      /expected the name of a \.safetensors file beside the index/,
    ],
    [
      'a tensor that its shard lacks',
      (map) => (map.more = map[wte]!),
      /"more": is not among the file's/,
    ],
  ];
  for (const [name, change, message] of cases) {
    test(`that name ${name} are refused`, async () => {
      await expect(loadModel(sharded(change))).rejects.toThrow(message);
    });
  }
});

describe('what is saved', () => {
  test('is shards where one file would be too large, and one file again', async () => {
    const model = await loadModel(join(goldens, 'gpt2'));
    const values = await valuesOf(model);
    const folder = mkdtempSync(join(root, 'saved-'));
    await saveModel(folder, model, { shardBytes: 20_000 });
    expect(readdirSync(folder).sort()).toEqual([
      'config.json',
      'headwise-manifest.json',
      'model-00001-of-00003.safetensors',
      'model-00002-of-00003.safetensors',
      'model-00003-of-00003.safetensors',
      'model.safetensors.index.json',
    ]);
    const parts = await loadModel(folder);
    expect(await valuesOf(parts)).toEqual(values);
    const index = JSON.parse(readFileSync(join(folder, 'model.safetensors.index.json'), 'utf8'));
    expect(index.metadata).toEqual({ total_parameters: 13_052, total_size: 52_208 });
    expect(Object.keys(index.weight_map).sort()).toEqual([...values.keys()].sort());

    await saveModel(folder, model);
    expect(readdirSync(folder).sort()).toEqual([
      'config.json',
      'headwise-manifest.json',
      'model.safetensors',
    ]);
    expect(await valuesOf(await loadModel(folder))).toEqual(values);
    await saveModel(folder, model, { shardBytes: 20_000 });
    expect(readdirSync(folder)).not.toContain('model.safetensors');
  });

  test('has floats with a point, which transformers insists on', async () => {
    const model = await loadModel(join(goldens, 'gpt2'));
    const folder = join(root, 'floats', 'not', 'there');
    await saveModel(folder, model);
    await expect(saveModel(join(folder, 'config.json', 'x'), model)).rejects.toThrow(
      /x: cannot be made a folder: ENOTDIR/,
    );
    const text = readFileSync(join(folder, 'config.json'), 'utf8');
    expect(text).toMatch(/"attn_pdrop": 0\.0,/);
    expect(text).toMatch(/"n_embd": 20,/);
    expect(configOf(folder)).toEqual(model.family.configJson(model.config));
    model.params.dispose();
  });

  test('is in the type that is asked for, by its name in each file', async () => {
    const model = await loadModel(join(goldens, 'gpt2'));
    const key = 'transformer.wte.weight';
    for (const [dtype, inConfig, inFile] of [
      ['f16', 'float16', 'F16'],
      ['bf16', 'bfloat16', 'BF16'],
    ] as const) {
      const folder = mkdtempSync(join(root, `${dtype}-`));
      await saveModel(folder, model, { dtype });
      expect(configOf(folder).dtype).toBe(inConfig);
      const file = readSafetensors(readFileSync(join(folder, 'model.safetensors')));
      expect(file.get(key).dtype).toBe(inFile);
    }
    for (const dtype of ['F32', 'float32', 'int8']) {
      await expect(saveModel(root, model, { dtype: dtype as never })).rejects.toThrow(
        `saveModel: dtype is '${dtype}'; expected one of f32, f16, bf16`,
      );
    }
    model.params.dispose();
  });

  test('by their paths are never packed weights', async () => {
    const model = await loadModel(join(goldens, 'gpt2'), { dtype: 'f16' });
    await expect(saveParams(root, model.params)).rejects.toThrow(
      "parameter 'tokens.weight' is packed; only unpacked weights are saved",
    );
    model.params.dispose();
  });
});

describe('a checkpoint that does not fit is refused before its tensors are read', () => {
  const refused = async (folder: string, ...messages: RegExp[]) => {
    const before = tf.memory().numTensors;
    const error = await loadModel(folder).then(
      () => expect.fail('was loaded'),
      (reason: Error) => reason,
    );
    for (const message of messages) expect(error.message).toMatch(message);
    expect(tf.memory().numTensors).toBe(before);
  };

  test('every missing tensor, wrong shape and wrong type is listed', () =>
    refused(
      gpt2With({}, (all) => {
        all.delete('transformer.ln_f.bias');
        all.delete('transformer.h.1.mlp.c_fc.weight');
        all.set('transformer.h.0.ln_1.weight', { shape: [7], data: new Float32Array(7) });
        all.set('transformer.h.0.ln_1.bias', { shape: [20], data: new Int32Array(20) });
      }),
      /no tensor 'transformer\.ln_f\.bias', which holds parameter 'norm\.bias'/,
      /no tensor 'transformer\.h\.1\.mlp\.c_fc\.weight', which holds parameter 'blocks\.1\.mlp\.up\.weight'/,
      /tensor 'transformer\.h\.0\.ln_1\.weight' has shape \[7\]; the configuration needs \[20\]/,
      /tensor 'transformer\.h\.0\.ln_1\.bias' is of type I32; expected F32, F16 or BF16/,
    ));

  test('values that are not finite are told by the names of their tensors', () =>
    refused(
      gpt2With({}, (all) => {
        (all.get('transformer.wte.weight')!.data as Float32Array)[96 * 20 + 19] = NaN;
        (all.get('transformer.h.2.ln_2.bias')!.data as Float32Array)[3] = -Infinity;
      }),
      /NaN or infinite values in tensors .*'transformer\.h\.2\.ln_2\.bias'/,
      /'transformer\.wte\.weight'/,
    ));

  test('values that cannot be packed are told by the name of their tensor', async () => {
    const folder = gpt2With({}, (all) => {
      (all.get('transformer.wte.weight')!.data as Float32Array)[96 * 20 + 19] = NaN;
      (all.get('transformer.h.1.mlp.c_fc.weight')!.data as Float32Array)[3] = Infinity;
    });
    for (const dtype of ['f16', 'int8', 'int4'] as const) {
      await expect(loadModel(folder, { dtype })).rejects.toThrow(
        /NaN or infinite values in tensors 'transformer.h.1.mlp.c_fc.weight', 'transformer.wte.weight'/,
      );
    }
    const large = gpt2With({}, (all) => {
      (all.get('transformer.wte.weight')!.data as Float32Array)[7] = 1e5;
    });
    await expect(loadModel(large, { dtype: 'f16' })).rejects.toThrow(
      "tensor 'transformer.wte.weight': packWeight: value 7 is 100000; expected finite values of at most 65504",
    );
  });

  test('a billion blocks, and sizes without bounds', async () => {
    await refused(gpt2With({ n_layer: 1e9 }), /'n_layer' is 1000000000: .*<=4096/);
    await refused(gpt2With({ n_layer: 4096 }), /no tensor 'transformer\.h\.3\.ln_1\.weight'/);
    await refused(gpt2With({ vocab_size: 2 ** 30 }), /needs \[1073741824, 20\]/);
    await refused(gpt2With({ n_embd: 2 ** 60 }), /'n_embd' is 1152921504606847000/);
    await refused(gpt2With({ n_embd: -20 }), /'n_embd' is -20/);
    const bloom = mkdtempSync(join(root, 'bloom-'));
    cpSync(join(goldens, 'bloom'), bloom, { recursive: true });
    const config = { ...configOf(bloom), hidden_size: 2 ** 30, n_head: 2 ** 29 };
    writeFileSync(join(bloom, 'config.json'), JSON.stringify(config));
    await refused(bloom, /the configuration needs \[103, 1073741824\]/);
  });

  test('a file that is cut, or claims a tensor of 2^63 elements', async () => {
    const folder = gpt2With();
    const path = join(folder, 'model.safetensors');
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, -8));
    await refused(
      folder,
      /model\.safetensors: .*data ends at byte \d+, but the file holds \d+ bytes/,
    );
    writeFileSync(path, bytes.subarray(0, 100));
    await refused(folder, /header length is \d+ bytes, but only 92 follow it/);
    const header = '{"x":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4]}}';
    const lying = Buffer.alloc(8 + header.length + 4);
    lying.writeBigUInt64LE(BigInt(header.length));
    lying.write(header, 8);
    writeFileSync(path, lying);
    await refused(folder, /"x": shape\[0\] is 9223372036854776000, expected a whole number/);
  });

  test('a pickle, with the reason and the command that converts it', async () => {
    const folder = gpt2With();
    rmSync(join(folder, 'model.safetensors'));
    writeFileSync(join(folder, 'pytorch_model.bin'), 'cos\nsystem\n');
    await refused(
      folder,
      /pytorch_model\.bin: is a Python pickle, which runs whatever code/,
      /safe_serialization=True/,
    );
    rmSync(join(folder, 'pytorch_model.bin'));
    await refused(
      folder,
      /model\.safetensors: is missing, and so is model\.safetensors\.index\.json/,
    );
  });

  test('a configuration that is missing, no JSON, or of no known family', async () => {
    const folder = gpt2With();
    writeFileSync(join(folder, 'config.json'), '{');
    await refused(folder, /config\.json: is not JSON/);
    rmSync(join(folder, 'config.json'));
    await refused(folder, /config\.json: is missing; a checkpoint's folder has one/);
    writeFileSync(join(folder, 'adapter_config.json'), '{}');
    await refused(
      folder,
      /\/config\.json: is missing; adapter_config\.json is there, so this is an/,
    );
    await refused(gpt2With({ model_type: '__proto__' }), /'model_type' is "__proto__"; known are/);
    await refused(join(root, 'nowhere'), /nowhere\/config\.json: is missing/);
  });
});

function bitsOf(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0]!;
}

/** Of a value whose half is normal: rounded towards zero. */
function halfBitsOf(value: number): number {
  const bits = bitsOf(value);
  const exponent = ((bits >>> 23) & 0xff) - 127 + 15;
  const sign = (bits >>> 16) & 0x8000;
  return exponent <= 0 ? sign : sign | (exponent << 10) | ((bits >>> 13) & 0x3ff);
}

test('the hash of what was read is the one that Node.js computes', async () => {
  const { Sha256 } = await import('./sha256.js');
  for (const length of [0, 1, 55, 56, 63, 64, 65, 119, 1000, 100_003]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 31) % 251);
    const hash = new Sha256();
    for (let at = 0, step = 1; at < length; at += step, step = (step * 7 + 1) % 1013) {
      hash.update(bytes.subarray(at, at + step));
    }
    expect(hash.digest(), `${length}`).toBe(createHash('sha256').update(bytes).digest('hex'));
  }
});
