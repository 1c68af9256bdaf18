import type { Bytes } from '@headwise/safetensors';

/** Keeps the pieces of files that were downloaded. */
export interface CheckpointCache {
  /** The size of a file, once it is known. */
  size(file: string): Promise<number | undefined>;
  setSize(file: string, bytes: number): Promise<void>;
  /** A piece as it was kept; undefined where there is none, or it is not what it was. */
  piece(file: string, index: number): Promise<Bytes | undefined>;
  setPiece(file: string, index: number, bytes: Uint8Array): Promise<void>;
  /** Forgets a file. */
  delete(file: string): Promise<void>;
}

const sizeHeader = 'x-headwise-size';
const hashHeader = 'x-headwise-sha256';

/**
 * A cache in the browser's own storage, by its Cache API; each piece is kept with its SHA-256, and checked against it
 * when it is read.
 *
 * Files are known by their addresses: an address must not change what it stands for.
 *
 * @param name other names are other caches
 * @throws Error where the page has no such storage: it needs https or localhost
 */
export async function browserCache(name = 'headwise-checkpoints'): Promise<CheckpointCache> {
  if (!globalThis.caches) {
    throw new Error(
      `the cache '${name}' needs a browser's storage, on a page over https or on localhost`,
    );
  }
  const cache = await caches.open(name);
  const address = (file: string, part: string) => {
    const url = new URL('https://checkpoint.invalid/');
    url.searchParams.set('file', file);
    url.searchParams.set('part', part);
    return url.href;
  };
  return {
    async size(file) {
      const found = await cache.match(address(file, 'size'));
      const size = found?.headers.get(sizeHeader);
      return size ? Number(size) : undefined;
    },
    async setSize(file, bytes) {
      const headers = { [sizeHeader]: String(bytes) };
      await cache.put(address(file, 'size'), new Response('', { headers }));
    },
    async piece(file, index) {
      const found = await cache.match(address(file, String(index)));
      if (!found) return undefined;
      const bytes = new Uint8Array(await found.arrayBuffer());
      return (await sha256(bytes)) === found.headers.get(hashHeader) ? bytes : undefined;
    },
    async setPiece(file, index, bytes) {
      const headers = { [hashHeader]: await sha256(bytes) };
      const body = bytes as Uint8Array<ArrayBuffer>;
      await cache.put(address(file, String(index)), new Response(body, { headers }));
    },
    async delete(file) {
      for (const { url } of await cache.keys()) {
        if (new URL(url).searchParams.get('file') === file) await cache.delete(url);
      }
    },
  };
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
