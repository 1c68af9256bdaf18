import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '@headwise/core';
import { SafetensorsError } from '@headwise/safetensors';
import type { HubPlace } from '../../hub/address.js';
import { hubFetch, refusal } from '../../hub/fetch.js';
import type { HubFile } from '../../hub/listing.js';

/** Milliseconds before a connection that brought nothing is tried again. */
const pauses = [100, 500, 2000, 5000];

export interface DownloadOptions {
  signal?: AbortSignal | undefined;
  /** Called with the bytes that came, also those of an earlier try that is resumed. */
  onBytes?: ((bytes: number) => void) | undefined;
}

/**
 * Downloads a file: what came before a connection broke, or the process ended, is kept in `path.part` and not asked for again.
 *
 * The file stands at its path only when it has the size and the hash that the hub lists.
 *
 * @throws InputError where the hub does not give it, SafetensorsError where it is another file than the one listed
 */
export async function download(
  place: HubPlace,
  url: URL,
  path: string,
  file: HubFile,
  { signal, onBytes }: DownloadOptions = {},
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const part = `${path}.part`;
  const kept = (await stat(part).catch(() => undefined))?.size ?? 0;
  if (kept > file.size) await rm(part);
  const handle = await open(part, 'a');
  let came = kept > file.size ? 0 : kept;
  try {
    onBytes?.(came);
    for (let failures = 0; came < file.size; ) {
      const before = came;
      try {
        const response = await hubFetch(place, url, {
          headers: { range: `bytes=${came}-${file.size - 1}` },
          ...(signal ? { signal } : {}),
        });
        const from = checkAnswer(place, url, response, came, file.size);
        if (from < came) {
          // The server gives no parts: all of it comes again.
          await handle.truncate(0);
          onBytes?.(-came);
          came = 0;
        }
        for await (const chunk of response.body ?? []) {
          if (came + chunk.byteLength > file.size) {
            const reason = `the server gives more than the ${file.size} bytes that the hub lists`;
            throw new SafetensorsError(url.href, undefined, reason);
          }
          await handle.write(chunk);
          came += chunk.byteLength;
          onBytes?.(chunk.byteLength);
        }
        if (came === file.size) break;
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof SafetensorsError || error instanceof InputError) throw error;
        if (failures === pauses.length) {
          throw new InputError(
            `${url.href}: cannot be fetched: ${(error as Error).message}; ${came} of ${file.size} bytes are kept for the next time`,
            { cause: error },
          );
        }
      }
      failures = came > before ? 0 : failures + 1;
      if (failures > pauses.length) {
        throw new InputError(
          `${url.href}: the server gives ${came} bytes, the hub lists ${file.size}`,
        );
      }
      await sleep(pauses[Math.max(0, failures - 1)], undefined, signal ? { signal } : {});
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  await checkHash(url, part, file);
  await rename(part, path);
}

/** Where the bytes of an answer begin. */
function checkAnswer(
  place: HubPlace,
  url: URL,
  response: Response,
  asked: number,
  size: number,
): number {
  if (response.status === 200) return 0;
  if (response.status === 429 || response.status >= 500) {
    throw new Error(`the server answers ${response.status} ${response.statusText}`);
  }
  if (response.status === 416) {
    throw new SafetensorsError(
      url.href,
      undefined,
      `the server has no bytes from ${asked} on (416), the hub lists ${size}`,
    );
  }
  if (response.status !== 206) throw refusal(place, `'${url.pathname}'`, response);
  const range = response.headers.get('content-range') ?? '';
  const [, from, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(range) ?? [];
  if (Number(from) === asked && Number(total) === size) return asked;
  const reason = `has changed: the server gives '${range}', expected the bytes from ${asked} of ${size}`;
  throw new SafetensorsError(url.href, undefined, reason);
}

/** Throws, and removes the file, where it does not have the hash that the hub lists. */
async function checkHash(
  url: URL,
  part: string,
  { size, sha256, gitSha1 }: HubFile,
): Promise<void> {
  const [name, expected] = sha256 === undefined ? ['SHA-1', gitSha1] : ['SHA-256', sha256];
  if (expected === undefined) return;
  const hash = createHash(sha256 === undefined ? 'sha1' : 'sha256');
  // Git hashes its header with a file.
  if (sha256 === undefined) hash.update(`blob ${size}\0`);
  if (size > 0) await pipeline(createReadStream(part), hash);
  else hash.end();
  const found = hash.digest('hex');
  if (found === expected) return;
  await rm(part);
  throw new SafetensorsError(url.href, undefined, `has the ${name} ${found}, expected ${expected}`);
}
