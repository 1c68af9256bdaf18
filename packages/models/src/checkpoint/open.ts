import { InputError } from '@headwise/core';
import { type ByteSource, SafetensorsReader, ShardedReader } from '@headwise/safetensors';
import type { CheckpointFiles, CheckpointTensors } from './files.js';

const configName = 'config.json';
const adapterName = 'adapter_config.json';
const weightsName = 'model.safetensors';
const indexName = 'model.safetensors.index.json';
const pickleNames = ['pytorch_model.bin', 'pytorch_model.bin.index.json'];

// The largest indices on the Hugging Face hub have about 10 MB.
const MAX_JSON_BYTES = 2 ** 27;

/**
 * The document in a checkpoint's `config.json`.
 *
 * @throws InputError where there is none, or it is not JSON
 */
export async function openConfig(files: CheckpointFiles): Promise<{ json: unknown; name: string }> {
  const config = await openJson(files, configName);
  if (config) return config;
  const adapter = await files.open(adapterName);
  await adapter?.close();
  throw new InputError(
    `${namedFile(files, configName)}: is missing; ${adapter ? `${adapterName} is there, so this is an adapter; expected the folder of the model that it adapts` : "a checkpoint's folder has one"}`,
  );
}

/**
 * A JSON document beside a checkpoint's weights; undefined where there is no such file.
 *
 * @throws InputError where it is not JSON
 */
export async function openJson(
  files: CheckpointFiles,
  file: string,
): Promise<{ json: unknown; name: string } | undefined> {
  const opened = await openBytes(files, file);
  if (!opened) return undefined;
  const { bytes, name } = opened;
  try {
    return { json: JSON.parse(new TextDecoder().decode(bytes)), name };
  } catch (error) {
    throw new InputError(`${name}: is not JSON: ${(error as Error).message}`);
  }
}

/** The bytes of a file beside a checkpoint's weights; undefined where there is no such file. */
export async function openBytes(
  files: CheckpointFiles,
  file: string,
): Promise<{ bytes: Uint8Array; name: string } | undefined> {
  const source = await files.open(file);
  return source && { bytes: await readSmall(source), name: source.name };
}

/**
 * The tensors of a checkpoint: of `model.safetensors`, else of the shards that `model.safetensors.index.json` names.
 *
 * @throws InputError or SafetensorsError naming the file and what is wrong with it
 */
export async function openTensors(files: CheckpointFiles): Promise<CheckpointTensors> {
  if (files.tensors) return files.tensors();
  const single = await files.open(weightsName);
  if (single) return { reader: await SafetensorsReader.open(single), name: single.name };
  const index = await files.open(indexName);
  if (!index) throw await nothingToRead(files);
  const open = async (file: string) => {
    const shard = await files.open(file);
    if (shard) return shard;
    throw new InputError(`${index.name}: names '${file}', which is missing`);
  };
  const bytes = await readSmall(index);
  return { reader: await ShardedReader.open(bytes, { name: index.name, open }), name: index.name };
}

async function nothingToRead(files: CheckpointFiles): Promise<InputError> {
  for (const pickle of pickleNames) {
    const found = await files.open(pickle);
    if (!found) continue;
    await found.close();
    return new InputError(
      `${found.name}: is a Python pickle, which runs whatever code is in it when it is read, and so is not read; convert it where you trust it: ` +
        `python -c "from transformers import AutoModel; AutoModel.from_pretrained('FOLDER').save_pretrained('FOLDER', safe_serialization=True)"`,
    );
  }
  return new InputError(`${namedFile(files, weightsName)}: is missing, and so is ${indexName}`);
}

async function readSmall(source: ByteSource): Promise<Uint8Array> {
  try {
    if (source.size > MAX_JSON_BYTES) {
      throw new InputError(
        `${source.name}: has ${source.size} bytes; expected at most ${MAX_JSON_BYTES}`,
      );
    }
    const bytes = new Uint8Array(source.size);
    await source.read(0, bytes);
    await source.finish?.();
    return bytes;
  } finally {
    await source.close();
  }
}

/** The name of a file beside a checkpoint's weights, for errors. */
export function namedFile({ name }: CheckpointFiles, file: string): string {
  return name === '' || name.endsWith('/') ? `${name}${file}` : `${name}/${file}`;
}
