import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sizeOf, tensorWriter, wordWriter, writesDone } from '@headwise/core/internal';
import { canWidenHalves, type HalfType, widenHalves } from '@headwise/kernels/internal';
import type { Dtype, LazyTensorInput } from '@headwise/safetensors';
import { fileBytes, writeSafetensorsFile } from '@headwise/safetensors/node';
import type { Workload } from '@headwise/testing';
import { createModel, type WeightDtype } from '../index.js';
import { checkpointTensors } from '../internal.js';
import { writeJsonFile } from '../node/json.js';
import { loadModel } from '../node.js';

const config = {
  model_type: 'gpt2',
  vocab_size: 8192,
  n_positions: 512,
  n_embd: 512,
  n_layer: 8,
  n_head: 8,
};
/** Of the width and depth of GPT-2 small; matrices lie `[in, out]` in one family, `[out, in]` in the other. */
const small = {
  gpt2: { ...config, n_embd: 768, n_layer: 12, n_head: 12 },
  llama: {
    model_type: 'llama',
    vocab_size: 8192,
    max_position_embeddings: 512,
    hidden_size: 768,
    intermediate_size: 3072,
    num_hidden_layers: 12,
    num_attention_heads: 12,
  },
};
const PIECE_BYTES = 2 ** 24;

/** Writes a model of random bits whose numbers are finite, without making it. */
async function writeModel(
  folder: string,
  config: typeof small.gpt2 | typeof small.llama,
  dtype: Dtype,
): Promise<string> {
  const depth = 'n_layer' in config ? 'n_layer' : 'num_hidden_layers';
  const layers = 'n_layer' in config ? config.n_layer : config.num_hidden_layers;
  const { params, ...rest } = createModel({ ...(config as object), [depth]: 1 });
  const one = checkpointTensors({ params, ...rest });
  params.dispose();
  const width = dtype === 'F32' ? 4 : 2;
  const tensors: Record<string, LazyTensorInput> = {};
  for (const [key, { shape }] of Object.entries(one)) {
    const data = () => {
      const bytes = new Uint8Array(width * sizeOf(shape));
      // The lowest byte of each value is anything, the highest that of a number near 0.1.
      for (let i = 0; i < bytes.length; i++)
        bytes[i] = i % width === width - 1 ? 0x3d : (i * 31) % 128;
      return width === 4 ? new Float32Array(bytes.buffer) : new Uint16Array(bytes.buffer);
    };
    for (let block = 0; block < layers; block++) {
      tensors[key.replace('.0.', `.${block}.`)] = { dtype, shape, data };
    }
  }
  await mkdir(folder);
  await writeJsonFile(join(folder, 'config.json'), config);
  const path = join(folder, 'model.safetensors');
  await writeSafetensorsFile(path, tensors, { format: 'pt' });
  return path;
}

/**
 * Reads a file and writes its bytes to the backend, as they are: of 16-bit floats half the bytes that a model's parameters take.
 *
 * @param type widens them as floats of 16 bits, in one dispatch: the bound of loading them, as the values lie in memory as those of a model
 */
async function rawUpload(path: string, type?: HalfType): Promise<void> {
  const source = await fileBytes(path);
  // A whole number of the vectors that are widened at once.
  const words = 4 * Math.floor(source.size / 16);
  const writer = type ? wordWriter(words) : tensorWriter([words]);
  const scratch = new Uint8Array(PIECE_BYTES);
  for (let at = 0; at < 4 * words; at += PIECE_BYTES) {
    const bytes = scratch.subarray(0, Math.min(PIECE_BYTES, 4 * words - at));
    await source.read(at, bytes);
    writer.write(at / 4, new Float32Array(bytes.buffer, 0, bytes.length / 4));
  }
  const tensor = writer.finish();
  if (type) widenHalves(tensor, type, [2 * words]).dispose();
  await writesDone();
  tensor.dispose();
  await source.close();
}

function loading(dtype: 'F32' | HalfType): Workload {
  return {
    name: `models/loading/${dtype.toLowerCase()}/L8D512V8192`,
    async prepare() {
      const root = mkdtempSync(join(tmpdir(), 'headwise-load-'));
      const folder = join(root, 'model');
      const path = await writeModel(folder, config, dtype);
      return {
        ours: async () => (await loadModel(folder)).params.dispose(),
        peers: {
          raw: () => rawUpload(path),
          ...(dtype !== 'F32' &&
            canWidenHalves() && { 'raw and widened': () => rawUpload(path, dtype) }),
        },
        dispose: () => rmSync(root, { recursive: true }),
      };
    },
  };
}

/** Loads a file of float32 and packs it, against loading it as it is. */
function packing(family: keyof typeof small): Workload {
  return {
    name: `models/loading/packed/${family}/L12D768V8192`,
    async prepare() {
      const root = mkdtempSync(join(tmpdir(), 'headwise-load-'));
      const folder = join(root, 'model');
      await writeModel(folder, small[family], 'F32');
      const load = (dtype: WeightDtype) => async () =>
        (await loadModel(folder, { dtype })).params.dispose();
      return {
        ours: load('int8'),
        peers: { f32: load('f32'), f16: load('f16'), int4: load('int4') },
        dispose: () => rmSync(root, { recursive: true }),
      };
    },
  };
}

export const workloads: Workload[] = [
  loading('F32'),
  loading('BF16'),
  loading('F16'),
  packing('gpt2'),
  packing('llama'),
];
