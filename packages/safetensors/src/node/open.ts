import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Folder } from '@headwise/files';
import { SafetensorsError } from '../errors.js';
import { SafetensorsReader, type TensorReader } from '../reader.js';
import { ShardedReader } from '../sharded.js';
import { asSafetensorsError, openBytes } from './file-bytes.js';

const FILE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';

/**
 * Opens a safetensors file, the index of a sharded one, or a model folder that holds either.
 *
 * In a folder with a manifest, files are those that were saved as one; `finish` compares them with their hashes.
 *
 * @throws SafetensorsError naming the file, the entry, what it says and what was expected
 */
export async function openSafetensors(path: string): Promise<TensorReader> {
  try {
    if (!(await isFolder(path))) return await openIn(await Folder.open(dirname(path)), path);
    const folder = await Folder.open(path);
    for (const name of [FILE, INDEX]) {
      const file = await folder.openFile(name);
      await file?.handle.close();
      if (file) return await openIn(folder, join(path, name));
    }
  } catch (error) {
    throw asSafetensorsError(error);
  }
  throw new SafetensorsError(path, undefined, `holds neither ${FILE} nor ${INDEX}`);
}

async function openIn(folder: Folder, path: string): Promise<TensorReader> {
  const open = async (name: string) => openBytes(await folder.openRequired(name));
  const name = basename(path);
  if (!name.endsWith('.json')) return SafetensorsReader.open(await open(name));
  const index = await folder.readRequired(name);
  return ShardedReader.open(index, { name: path, open });
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
}
