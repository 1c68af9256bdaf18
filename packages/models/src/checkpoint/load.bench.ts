import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sizeOf, tensorWriter, writesDone } from '@headwise/core';
import type { Dtype, LazyTensorInput } from '@headwise/safetensors';
import { fileBytes, writeSafetensorsFile } from '@headwise/safetensors/node';
import type { Workload } from '@headwise/testing';
import { checkpointTensors, createModel } from '../index.js';
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
const PIECE_BYTES = 2 ** 24;

/** Writes a model of random bits whose numbers are finite, without making it. */
async function writeModel(folder: string, dtype: Dtype): Promise<string> {
  const { params, ...rest } = createModel({ ...config, n_layer: 1 });
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
    for (let block = 0; block < config.n_layer; block++) {
      tensors[key.replace('.0.', `.${block}.`)] = { dtype, shape, data };
    }
  }
  await mkdir(folder);
  await writeJsonFile(join(folder, 'config.json'), config);
  const path = join(folder, 'model.safetensors');
  await writeSafetensorsFile(path, tensors, { format: 'pt' });
  return path;
}

/** Reads a file and writes its bytes to the backend, as they are. */
async function rawUpload(path: string): Promise<void> {
  const source = await fileBytes(path);
  const writer = tensorWriter([Math.floor(source.size / 4)]);
  const scratch = new Uint8Array(PIECE_BYTES);
  for (let at = 0; at + 4 <= source.size; at += PIECE_BYTES) {
    const bytes = scratch.subarray(0, Math.floor(Math.min(PIECE_BYTES, source.size - at) / 4) * 4);
    await source.read(at, bytes);
    writer.write(at / 4, new Float32Array(bytes.buffer, 0, bytes.length / 4));
  }
  const tensor = writer.finish();
  await writesDone();
  tensor.dispose();
  await source.close();
}

function loading(dtype: Dtype): Workload {
  return {
    name: `models/load/${dtype.toLowerCase()}/L8D512V8192`,
    async prepare() {
      const root = mkdtempSync(join(tmpdir(), 'headwise-load-'));
      const folder = join(root, 'model');
      const path = await writeModel(folder, dtype);
      return {
        ours: async () => (await loadModel(folder)).params.dispose(),
        peers: { raw: () => rawUpload(path) },
        dispose: () => rmSync(root, { recursive: true }),
      };
    },
  };
}

export const workloads: Workload[] = [loading('F32'), loading('BF16'), loading('F16')];
