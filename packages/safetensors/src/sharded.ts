import { asBytes, type ByteSource, type Bytes } from './bytes.js';
import type { TensorInfo } from './entries.js';
import { SafetensorsError, show } from './errors.js';
import { isObject, parseJsonObject } from './json.js';
import { type Tensor, tensorInfo } from './read.js';
import { SafetensorsReader, type TensorReader } from './reader.js';

/** A model in several files, with an index that says which tensor lies in which. */
export class ShardedReader implements TensorReader {
  private constructor(
    private readonly name: string,
    readonly tensors: ReadonlyMap<string, TensorInfo>,
    private readonly shardOf: ReadonlyMap<string, SafetensorsReader>,
    private readonly shards: readonly SafetensorsReader[],
  ) {}

  /**
   * Opens the header of every file that an index names.
   * @param index the bytes of the index
   * @param options `name` stands for the index in errors; `open` opens a file beside it
   * @throws SafetensorsError naming the file, the entry, what it says and what was expected
   * @see https://huggingface.co/docs/safetensors/index
   */
  static async open(
    index: Bytes,
    { name, open }: { name: string; open: (file: string) => Promise<ByteSource> },
  ): Promise<ShardedReader> {
    const weightMap = readWeightMap(asBytes(index, name), name);
    const shards: SafetensorsReader[] = [];
    try {
      const tensors = new Map<string, TensorInfo>();
      const shardOf = new Map<string, SafetensorsReader>();
      for (const file of [...new Set(weightMap.values())].sort()) {
        const source = await open(file);
        const shard = await SafetensorsReader.open(source);
        shards.push(shard);
        for (const key of shard.tensors.keys()) {
          if (weightMap.get(key) !== file) continue;
          tensors.set(key, shard.tensors.get(key)!);
          shardOf.set(key, shard);
        }
        for (const [key, lies] of weightMap) {
          if (lies === file) tensorInfo(shard.tensors, key, source.name);
        }
      }
      return new ShardedReader(name, tensors, shardOf, shards);
    } catch (error) {
      for (const shard of shards) await shard.close();
      throw error;
    }
  }

  /**
   * Reads one tensor from the file that holds it.
   * @throws SafetensorsError when the index names no such tensor
   */
  async read(key: string): Promise<Tensor> {
    return this.shard(key).read(key);
  }

  async readInto(key: string, begin: number, into: Bytes): Promise<void> {
    await this.shard(key).readInto(key, begin, into);
  }

  async finish(): Promise<void> {
    for (const shard of this.shards) await shard.finish();
  }

  /** Closes every file; no tensor can be read after. */
  async close(): Promise<void> {
    for (const shard of this.shards) await shard.close();
  }

  private shard(key: string): SafetensorsReader {
    tensorInfo(this.tensors, key, this.name);
    return this.shardOf.get(key)!;
  }
}

function readWeightMap(bytes: Uint8Array, name: string): Map<string, string> {
  const { weight_map: map } = parseJsonObject(bytes, { file: name, what: 'index' });
  if (!isObject(map)) {
    const reason = `is ${show(map)}, expected an object of file names`;
    throw new SafetensorsError(name, 'weight_map', reason);
  }
  const weightMap = new Map<string, string>();
  for (const [key, file] of Object.entries(map)) {
    // A shard lies beside its index: a path out of the folder is not a file name.
    if (typeof file !== 'string' || !/^[^/\\]+\.safetensors$/.test(file)) {
      const reason = `lies in ${show(file)}, expected the name of a .safetensors file beside the index`;
      throw new SafetensorsError(name, key, reason);
    }
    weightMap.set(key, file);
  }
  return weightMap;
}
