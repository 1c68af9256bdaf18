import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '@headwise/core';
import { fileBytes } from '@headwise/safetensors/node';
import type { CheckpointFiles } from '../checkpoint/files.js';

/** The files of a checkpoint in a folder on disk. */
export function folderFiles(folder: string): CheckpointFiles {
  return {
    name: folder,
    async open(file) {
      const path = join(folder, file);
      const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
        throw new InputError(`${path}: cannot be read: ${error.message}`);
      });
      return found && fileBytes(path);
    },
  };
}
