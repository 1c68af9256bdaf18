import { checkFinite, checkOneOf, checkParams, InputError, type ParamStore } from '@headwise/core';
import { sizeOf } from '@headwise/core/internal';
import { commit, type FileContent, type FolderChange } from '@headwise/files';
import { fromFloat32, type LazyTensorInput, streamSafetensors } from '@headwise/safetensors';
import { checkModel } from '../check-model.js';
import { configText } from '../checkpoint/config-text.js';
import { isPackedModel, packedTensors } from '../checkpoint/packed.js';
import { paramTensors } from '../checkpoint/params.js';
import { checkpointTensors } from '../checkpoint/tensors.js';
import { jsonText } from '../json-text.js';
import type { Model } from '../model.js';

const weightsName = 'model.safetensors';
const indexName = 'model.safetensors.index.json';

/** The types that weights are saved in. */
export type SavedType = 'f32' | 'f16' | 'bf16';

export interface SaveOptions {
  /** The most bytes that one file holds, one larger tensor excepted; default 5e9, Hugging Face's own limit for long. */
  shardBytes?: number | undefined;
  /** How weights are rounded; default `f32`, in which they are kept. */
  dtype?: SavedType | undefined;
}

/** How `config.json` and safetensors call the types. */
const names = {
  f32: { config: 'float32', file: 'F32' },
  f16: { config: 'float16', file: 'F16' },
  bf16: { config: 'bfloat16', file: 'BF16' },
} as const;

/** The types that weights are saved in. */
export const savedTypes = Object.keys(names) as readonly SavedType[];

/** The names of weights in a folder, which those of another model replace. */
const weightsPattern = /^model(-\d{5}-of-\d{5})?\.safetensors(\.index\.json)?$/;

/**
 * The files of a model in the layout of `from_pretrained`, for `commit`: `config.json` and `model.safetensors`, or shards
 * of it with their index.
 *
 * Packed matrices are written as they lie in memory, by our paths, with `quantization_config` in `config.json`; `loadModel` alone
 * reads those.
 *
 * @throws InputError for an unknown type, and for a type where matrices are packed; while they are written, for values
 * that are not finite or that f16 does not hold
 */
export function modelFiles(model: Model, options: SaveOptions = {}): FolderChange {
  checkModel('saveModel', model);
  const { dtype = 'f32' } = options;
  checkOneOf('saveModel: dtype', dtype, savedTypes);
  const json = model.family.configJson(model.config);
  const isPacked = isPackedModel(model);
  if (isPacked && options.dtype !== undefined) {
    throw new InputError(
      `saveModel: dtype is '${dtype}', and the model is packed, which is saved as it is; expected no dtype`,
    );
  }
  const { tensors, quantization } = isPacked
    ? packedTensors(model)
    : { tensors: checkpointTensors(model), quantization: undefined };
  const config = {
    ...configWith(json, dtype),
    ...(quantization ? { quantization_config: quantization } : {}),
  };
  const weights = weightFiles(tensors, model.params.count(), options);
  return {
    write: { 'config.json': `${configText(config)}\n`, ...weights },
    remove: (name) => weightsPattern.test(name),
  };
}

function refusePacked(params: ParamStore): void {
  const packed = Object.entries(params.matrices()).find(([, matrix]) => matrix.packed);
  if (!packed) return;
  throw new InputError(`parameter '${packed[0]}' is packed; only unpacked weights are saved`);
}

/** `model.safetensors`, or shards with their index. */
function weightFiles(
  lazy: Readonly<Record<string, LazyTensorInput>>,
  parameters: number,
  { shardBytes = 5e9, dtype = 'f32' }: SaveOptions,
): Record<string, FileContent> {
  const tensors = Object.entries(lazy).map((tensor) => rounded(tensor, dtype));
  const parts = split(tensors, shardBytes);
  const shards = parts.map((_, i) => shardName(i, parts.length));
  const write: Record<string, FileContent> = {};
  for (const [i, part] of parts.entries()) {
    const name = shards[i]!;
    write[name] = streamSafetensors(Object.fromEntries(part), { format: 'pt' }, { name });
  }
  if (parts.length > 1) {
    const weightMap = parts.flatMap((part, i) => part.map(([key]) => [key, shards[i]!]));
    const total = tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
    const metadata = { total_parameters: parameters, total_size: total };
    write[indexName] = jsonText({ metadata, weight_map: Object.fromEntries(weightMap.sort()) });
  }
  return write;
}

/**
 * Writes the parameters of a network that is built by hand, by their paths: `model.safetensors`, or shards with their index.
 *
 * All files are committed as one, as `saveModel` does; `loadParams` reads them.
 *
 * @param folder created if it does not exist
 * @throws FileError where it cannot be written; InputError for packed weights, and for values that are not finite
 * @example
 * await saveParams('my-network', params);
 */
export async function saveParams(
  folder: string,
  params: ParamStore,
  options: SaveOptions = {},
): Promise<void> {
  checkParams('saveParams', params);
  checkOneOf('saveParams: dtype', options.dtype ?? 'f32', savedTypes);
  refusePacked(params);
  const write = weightFiles(paramTensors(params), params.count(), options);
  await commit(folder, { write, remove: (name) => weightsPattern.test(name) });
}

/**
 * Writes a model as `from_pretrained` loads it: `config.json` and `model.safetensors`, or shards of it with their index.
 *
 * All files are committed as one, with a manifest of their hashes: a failure or a kill at any moment leaves the model that
 * was in the folder before. Weights of that model that remain are removed.
 *
 * @param folder created if it does not exist
 * @throws FileError where it cannot be written; InputError as `modelFiles` says
 */
export async function saveModel(
  folder: string,
  model: Model,
  options: SaveOptions = {},
): Promise<void> {
  await commit(folder, modelFiles(model, options));
}

type NamedTensor = [key: string, tensor: LazyTensorInput];

function rounded([key, tensor]: NamedTensor, dtype: SavedType): NamedTensor {
  if (tensor.dtype !== 'F32') return [key, tensor];
  const data = async () => {
    const values = (await tensor.data()) as Float32Array;
    checkFinite(`tensor '${key}'`, values);
    if (dtype === 'f32') return values;
    try {
      return fromFloat32(values, names[dtype].file);
    } catch (error) {
      if (error instanceof RangeError) throw new InputError(`tensor '${key}': ${error.message}`);
      throw error;
    }
  };
  return [key, { ...tensor, dtype: names[dtype].file, data }];
}

/** The configuration, which says in what type weights are to be loaded. */
function configWith(json: Record<string, unknown>, dtype: SavedType): Record<string, unknown> {
  if (dtype === 'f32' && !('dtype' in json || 'torch_dtype' in json)) return json;
  const { torch_dtype: _, dtype: __, ...others } = json;
  return { ...others, dtype: names[dtype].config };
}

function bytesOf([, { shape, dtype }]: NamedTensor): number {
  return (dtype === 'F16' || dtype === 'BF16' ? 2 : 4) * sizeOf(shape);
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
