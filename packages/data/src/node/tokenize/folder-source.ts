import { join } from 'node:path';
import { openFile, readBytes } from '@headwise/files';
import type { ByteSource } from '../../shards/byte-source.js';
import { TokenShards } from '../../shards/token-shards.js';
import { readRange } from '../disk-file.js';

/** Files below a folder, read by ranges. */
export function folderSource(folder: string): ByteSource {
  return {
    name: folder,
    async read(file, range) {
      const path = join(folder, file);
      if (!range) return readBytes(path);
      const { handle } = await openFile(path);
      try {
        return await readRange(handle, range.start, range.end, path);
      } finally {
        await handle.close();
      }
    },
  };
}

/** Opens the tokenised shards of a folder. */
export const openShards = (folder: string): Promise<TokenShards> =>
  TokenShards.open(folderSource(folder));
