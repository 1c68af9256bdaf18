import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SafetensorsError, show } from '../errors.js';
import type { TensorInfo } from '../header.js';
import { type Tensor, tensorInfo } from '../read.js';
import { SafetensorsReader } from './reader.js';

/** Tensors on disk, in one file or in many. */
export interface TensorReader {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  read(name: string): Promise<Tensor>;
  close(): Promise<void>;
}

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
  let index: unknown;
  try {
    index = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    const reason = `cannot be read as JSON: ${(cause as Error).message}`;
    throw new SafetensorsError(path, undefined, reason, { cause });
  }
  const map = (index as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    const reason = `is ${show(map)}, expected an object of file names`;
    throw new SafetensorsError(path, 'weight_map', reason);
  }
  for (const [key, file] of Object.entries(map)) {
    // A shard lies beside its index: a path out of the folder is no file name.
    if (typeof file !== 'string' || !/\.safetensors$/.test(file) || basename(file) !== file) {
      const reason = `lies in ${show(file)}, expected the name of a .safetensors file beside the index`;
      throw new SafetensorsError(path, key, reason);
    }
  }
  return new Map(Object.entries(map));
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
}
