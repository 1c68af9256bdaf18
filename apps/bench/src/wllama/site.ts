import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** What lets a page have threads that share memory. */
const isolated = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/** Serves files by their paths in the address on this machine, and an empty page at `/`. */
export async function serveFiles(
  files: Readonly<Record<string, string>>,
): Promise<{ url: string; close(): void }> {
  const server = createServer(({ url = '/' }, response) => {
    if (url === '/') {
      response.writeHead(200, { ...isolated, 'content-type': 'text/html' }).end('<!doctype html>');
      return;
    }
    const path = files[url];
    if (path === undefined) {
      response.writeHead(404, isolated).end();
      return;
    }
    response.writeHead(200, {
      ...isolated,
      'content-type': types[extname(path)] ?? 'application/octet-stream',
      'content-length': statSync(path).size,
    });
    createReadStream(path).pipe(response);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, close: () => server.close() };
}
