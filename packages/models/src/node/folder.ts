import { Folder } from '@headwise/files';
import { openBytes } from '@headwise/safetensors/node';
import type { CheckpointFiles } from '../checkpoint/files.js';
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
