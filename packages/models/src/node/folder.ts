import { mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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

/**
 * Makes a folder and those above it, where there are none.
 *
 * @throws InputError naming the folder and why it cannot be
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await make(path);
  } catch (error) {
    throw new InputError(`${path}: cannot be made a folder: ${(error as Error).message}`);
  }
}

/** Node's own recursive way does not end on some folders that refuse it. */
async function make(path: string): Promise<void> {
  const there = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (there?.isDirectory()) return;
  if (there) throw new Error('it is a file');
  if (dirname(path) !== path) await make(dirname(path));
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    // Another process was faster.
    if (error.code !== 'EEXIST') throw error;
  });
}
