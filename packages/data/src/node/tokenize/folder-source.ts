import { join } from 'node:path';
import { openFile, readBytes } from '@headwise/files';
import { DataError } from '../../errors.js';
import type { ByteSource } from '../../shards/byte-source.js';
import { TokenShards } from '../../shards/token-shards.js';

/** Files below a folder, read by ranges. */
export function folderSource(folder: string): ByteSource {
  return {
    name: folder,
    async read(file, range) {
      const path = join(folder, file);
      if (!range) return readBytes(path);
      const { handle } = await openFile(path);
      try {
        const bytes = new Uint8Array(range.end - range.start);
        for (let done = 0; done < bytes.length; ) {
          const at = range.start + done;
          const { bytesRead } = await handle.read(bytes, done, bytes.length - done, at);
          if (bytesRead === 0) {
            throw new DataError(`${path}: ends at byte ${at}, expected at least ${range.end}`);
          }
          done += bytesRead;
        }
        return bytes;
      } finally {
        await handle.close();
      }
    },
  };
}

/** Opens the tokenised shards of a folder. */
export const openShards = (folder: string): Promise<TokenShards> =>
  TokenShards.open(folderSource(folder));
