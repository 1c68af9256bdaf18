import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { TensorInfo } from '../entries.js';
import { SafetensorsError, show } from '../errors.js';
import { isObject, parseJsonObject } from '../json.js';
import { type Tensor, tensorInfo } from '../read.js';
import { SafetensorsReader, type TensorReader } from './reader.js';

const FILE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';

/**
 * Opens a safetensors file, the index of a sharded one, or a model folder that holds either.
 * @throws SafetensorsError naming the file, the entry, what it says and what was expected
 */
export async function openSafetensors(path: string): Promise<TensorReader> {
  if (path.endsWith('.json')) return ShardedReader.open(path);
  if (!(await isFolder(path))) return SafetensorsReader.open(path);
  for (const name of [FILE, INDEX]) {
    const file = join(path, name);
    if (await stat(file).catch(() => undefined)) return openSafetensors(file);
  }
  throw new SafetensorsError(path, undefined, `holds neither ${FILE} nor ${INDEX}`);
}

/** A model in several files, with an index that says which tensor lies in which. */
export class ShardedReader implements TensorReader {
  private constructor(
    private readonly path: string,
    /** By name, in the order of the index; offsets count within the tensor's own file. */
    readonly tensors: ReadonlyMap<string, TensorInfo>,
    private readonly shardOf: ReadonlyMap<string, SafetensorsReader>,
    private readonly shards: readonly SafetensorsReader[],
  ) {}

  /**
   * Opens an index and the header of every file that it names.
   * @param path the index, beside its shards
   * @throws SafetensorsError naming the file, the entry, what it says and what was expected
   * @see https://huggingface.co/docs/safetensors/index
   */
  static async open(path: string): Promise<ShardedReader> {
    const weightMap = await readWeightMap(path);
    const shards = new Map<string, SafetensorsReader>();
    try {
      for (const file of new Set(weightMap.values())) {
        shards.set(file, await SafetensorsReader.open(join(dirname(path), file)));
      }
      const tensors = new Map<string, TensorInfo>();
      const shardOf = new Map<string, SafetensorsReader>();
      for (const [key, file] of weightMap) {
        const shard = shards.get(file)!;
        tensors.set(key, tensorInfo(shard.tensors, key, join(dirname(path), file)));
        shardOf.set(key, shard);
      }
      return new ShardedReader(path, tensors, shardOf, [...shards.values()]);
    } catch (error) {
      for (const shard of shards.values()) await shard.close();
      throw error;
    }
  }

  /**
   * Reads one tensor from the file that holds it.
   * @throws SafetensorsError when the index names no such tensor
   */
  async read(name: string): Promise<Tensor> {
    tensorInfo(this.tensors, name, this.path);
    return this.shardOf.get(name)!.read(name);
  }

  /** Closes every file; no tensor can be read after. */
  async close(): Promise<void> {
    for (const shard of this.shards) await shard.close();
  }
}

async function readWeightMap(path: string): Promise<Map<string, string>> {
  const bytes = await readFile(path).catch((cause) => {
    throw new SafetensorsError(path, undefined, `cannot be read: ${cause.message}`, { cause });
  });
  const { weight_map: map } = parseJsonObject(bytes, { file: path, what: 'index' });
  if (!isObject(map)) {
    const reason = `is ${show(map)}, expected an object of file names`;
    throw new SafetensorsError(path, 'weight_map', reason);
  }
  const weightMap = new Map<string, string>();
  for (const [key, file] of Object.entries(map)) {
    // A shard lies beside its index: a path out of the folder is no file name.
    if (typeof file !== 'string' || !file.endsWith('.safetensors') || basename(file) !== file) {
      const reason = `lies in ${show(file)}, expected the name of a .safetensors file beside the index`;
      throw new SafetensorsError(path, key, reason);
    }
    weightMap.set(key, file);
  }
  return weightMap;
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
}
