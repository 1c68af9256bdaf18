import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkOneOf, InputError, sizeOf } from '@headwise/core';
import { fromFloat32, type LazyTensorInput } from '@headwise/safetensors';
import { writeSafetensorsFile } from '@headwise/safetensors/node';
import { configText } from '../checkpoint/config-text.js';
import { checkpointTensors } from '../checkpoint.js';
import type { Model } from '../model.js';
import { makeFolder } from './folder.js';
import { writeJsonFile, writeTextFile } from './json.js';

const weightsName = 'model.safetensors';
const indexName = 'model.safetensors.index.json';

/** The types that weights are saved in. */
export type SavedType = 'f32' | 'f16' | 'bf16';

export interface SaveOptions {
  /** The most bytes that one file holds, one larger tensor excepted; default 5e9, Hugging Face's own limit for long. */
  shardBytes?: number;
  /** How weights are rounded; default `f32`, in which they are kept. */
  dtype?: SavedType;
}

/** How `config.json` and safetensors call the types. */
const names = {
  f32: { config: 'float32', file: 'F32' },
  f16: { config: 'float16', file: 'F16' },
  bf16: { config: 'bfloat16', file: 'BF16' },
} as const;

/** The types that weights are saved in. */
export const savedTypes = Object.keys(names) as readonly SavedType[];

/**
 * Writes `config.json` and `model.safetensors`, or shards of it with their index, as `from_pretrained` loads them.
 *
 * Each file is there whole or not at all; what an earlier model has left in the folder is removed.
 *
 * @param folder made where there is none
 * @throws InputError where weights are packed, since a checkpoint holds them as floats, for an unknown type, and for values
 * that f16 does not hold
 */
export async function saveModel(
  folder: string,
  model: Model,
  { shardBytes = 5e9, dtype = 'f32' }: SaveOptions = {},
): Promise<void> {
  checkOneOf('saveModel: dtype', dtype, savedTypes);
  const packed = Object.entries(model.params.matrices()).find(([, matrix]) => matrix.packed);
  if (packed) {
    throw new InputError(`parameter '${packed[0]}' is packed; only unpacked weights are saved`);
  }
  const tensors = Object.entries(checkpointTensors(model)).map((tensor) => rounded(tensor, dtype));
  const parts = split(tensors, shardBytes);
  await makeFolder(folder);
  const before = await filesOfIndex(folder);
  await writeTextFile(
    join(folder, 'config.json'),
    configText(configWith(model.family.configJson(model.config), dtype)),
  );
  const shards = parts.map((_, i) => shardName(i, parts.length));
  for (const [i, part] of parts.entries()) {
    await writeSafetensorsFile(join(folder, shards[i]!), Object.fromEntries(part), {
      format: 'pt',
    });
  }
  if (parts.length > 1) {
    const weightMap = parts.flatMap((part, i) => part.map(([key]) => [key, shards[i]!]));
    const total = tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
    const metadata = { total_parameters: model.params.count(), total_size: total };
    await writeJsonFile(join(folder, indexName), {
      metadata,
      weight_map: Object.fromEntries(weightMap.sort()),
    });
  }
  const left = [weightsName, indexName, ...before].filter((name) => !shards.includes(name));
  for (const name of left) {
    if (name !== indexName || parts.length === 1) await rm(join(folder, name), { force: true });
  }
}

type NamedTensor = [key: string, tensor: LazyTensorInput];

function rounded([key, tensor]: NamedTensor, dtype: SavedType): NamedTensor {
  if (dtype === 'f32') return [key, tensor];
  const { file } = names[dtype];
  const data = async () => {
    try {
      return fromFloat32((await tensor.data()) as Float32Array, file);
    } catch (error) {
      if (error instanceof RangeError) throw new InputError(`tensor '${key}': ${error.message}`);
      throw error;
    }
  };
  return [key, { ...tensor, dtype: file, data }];
}

/** The configuration, which says in what type weights are to be loaded. */
function configWith(json: Record<string, unknown>, dtype: SavedType): Record<string, unknown> {
  if (dtype === 'f32' && !('dtype' in json || 'torch_dtype' in json)) return json;
  const { torch_dtype: _, dtype: __, ...others } = json;
  return { ...others, dtype: names[dtype].config };
}

function bytesOf([, { shape, dtype }]: NamedTensor): number {
  return (dtype === 'F32' ? 4 : 2) * sizeOf(shape);
}

/** Tensors in their order, cut where a file would become too large. */
function split(tensors: readonly NamedTensor[], shardBytes: number): NamedTensor[][] {
  const parts: NamedTensor[][] = [[]];
  let held = 0;
  for (const tensor of tensors) {
    const bytes = bytesOf(tensor);
    if (held > 0 && held + bytes > shardBytes) {
      parts.push([]);
      held = 0;
    }
    parts.at(-1)!.push(tensor);
    held += bytes;
  }
  return parts;
}

function shardName(index: number, count: number): string {
  if (count === 1) return weightsName;
  const digits = (n: number) => String(n).padStart(5, '0');
  return `model-${digits(index + 1)}-of-${digits(count)}.safetensors`;
}

/** The shards of the model that lies in a folder now. */
async function filesOfIndex(folder: string): Promise<string[]> {
  const text = await readFile(join(folder, indexName), 'utf8').catch(() => '{}');
  try {
    const { weight_map: map = {} } = JSON.parse(text) as { weight_map?: Record<string, string> };
    // Names of shards alone: an index may say anything.
    return [...new Set(Object.values(map))].filter((name) =>
      /^model-\d{5}-of-\d{5}\.safetensors$/.test(name),
    );
  } catch {
    return [];
  }
}
