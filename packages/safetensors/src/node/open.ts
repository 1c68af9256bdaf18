import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SafetensorsError } from '../errors.js';
import { SafetensorsReader, type TensorReader } from '../reader.js';
import { ShardedReader } from '../sharded.js';
import { fileBytes } from './file-bytes.js';

const FILE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';

/**
 * Opens a safetensors file, the index of a sharded one, or a model folder that holds either.
 * @throws SafetensorsError naming the file, the entry, what it says and what was expected
 */
export async function openSafetensors(path: string): Promise<TensorReader> {
  if (path.endsWith('.json')) return openIndex(path);
  if (!(await isFolder(path))) return SafetensorsReader.open(await fileBytes(path));
  for (const name of [FILE, INDEX]) {
    const file = join(path, name);
    if (await stat(file).catch(() => undefined)) return openSafetensors(file);
  }
  throw new SafetensorsError(path, undefined, `holds neither ${FILE} nor ${INDEX}`);
}

async function openIndex(path: string): Promise<TensorReader> {
  const index = await readFile(path).catch((cause) => {
    throw new SafetensorsError(path, undefined, `cannot be read: ${cause.message}`, { cause });
  });
  const open = (file: string) => fileBytes(join(dirname(path), file));
  return ShardedReader.open(index, { name: path, open });
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
}
