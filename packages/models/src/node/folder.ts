import { basename, dirname } from 'node:path';
import { Folder } from '@headwise/files';
import type { ByteSource } from '@headwise/safetensors';
import { openBytes } from '@headwise/safetensors/node';
import type { CheckpointFiles } from '../checkpoint/files.js';
import { ggufFiles, isGgufName } from '../gguf/read/file.js';
import { asInputError } from './json.js';

/**
 * The files of a checkpoint in a folder on disk.
 *
 * Where the folder has a manifest, they are those that were saved as one, and are compared with their hashes.
 */
export function folderFiles(path: string): CheckpointFiles {
  let folder: Promise<Folder> | undefined;
  return {
    name: path,
    async open(name) {
      try {
        folder ??= Folder.open(path);
        const file = await (await folder).openFile(name);
        return file && openBytes(file);
      } catch (error) {
        throw asInputError(error);
      }
    },
  };
}

/** The files of a checkpoint at a path: a folder, or a GGUF file. */
export function diskFiles(path: string): CheckpointFiles {
  return isGgufName(path) ? ggufFiles(path, () => openFile(path)) : folderFiles(path);
}

async function openFile(path: string): Promise<ByteSource> {
  try {
    return openBytes(await (await Folder.open(dirname(path))).openRequired(basename(path)));
  } catch (error) {
    throw asInputError(error);
  }
}
