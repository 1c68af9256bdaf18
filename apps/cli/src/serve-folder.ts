import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { extname, join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { constants, createBrotliCompress, createGzip } from 'node:zlib';
import { type Listening, listen, namesThisMachine } from './listen.js';

/** The kinds of files that a built app has, and whether they shrink when they are compressed. */
const types: Readonly<Record<string, { type: string; compress: boolean }>> = {
  '.css': { type: 'text/css; charset=utf-8', compress: true },
  '.html': { type: 'text/html; charset=utf-8', compress: true },
  '.js': { type: 'text/javascript; charset=utf-8', compress: true },
  '.json': { type: 'application/json', compress: true },
  '.safetensors': { type: 'application/octet-stream', compress: false },
  '.svg': { type: 'image/svg+xml', compress: true },
  '.txt': { type: 'text/plain; charset=utf-8', compress: true },
  '.wasm': { type: 'application/wasm', compress: true },
};

/** A folder as it is served. */
interface Site {
  /** The real path of the folder. */
  root: string;
  /** Sent with every file. */
  headers: Readonly<Record<string, string>>;
  /** Only this machine is served, so the `Host` header must name it. */
  loopback: boolean;
}

/**
 * Serves the files of a folder over HTTP, and nothing outside it: a link that leads out of the folder is not found.
 *
 * Headers come from the folder's `_headers` (the lines under `/*`). On a loopback address a request whose `Host`
 * is not this machine is refused, so that no page of another site can read the files under a name of its own
 * (DNS rebinding). Own code, as the static servers on npm follow links out of the folder.
 *
 * @param port 0 takes a free one
 * @throws InputError where the port or the address cannot be listened at
 */
export async function serveFolder(
  folder: string,
  { port, host }: { port: number; host: string },
): Promise<Listening> {
  const root = await realpath(folder);
  const site: Site = { root, headers: headersOf(root), loopback: false };
  const server = createServer((request, response) => {
    answer(site, request, response).catch(() => response.destroy());
  });
  const served = await listen(server, { port, host });
  site.loopback = served.loopback;
  return served;
}

/** The headers under `/*` in a folder's `_headers`; none where it has none. */
function headersOf(root: string): Record<string, string> {
  const path = join(root, '_headers');
  if (!existsSync(path)) return {};
  const [, lines = ''] = /^\/\*\n((?: .*\n?)*)/m.exec(readFileSync(path, 'utf8')) ?? [];
  return Object.fromEntries(
    [...lines.matchAll(/^\s+([\w-]+): *(.*)$/gm)].map(([, name, value]) => [name!, value!]),
  );
}

async function answer(
  { root, headers, loopback }: Site,
  { method, url = '/', headers: asked }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const refuse = (status: number, text: string, more: Record<string, string> = {}) =>
    void response.writeHead(status, { 'content-type': 'text/plain', ...more }).end(`${text}\n`);
  if (loopback && !namesThisMachine(asked.host)) {
    return refuse(421, 'this server answers to localhost only');
  }
  if (method !== 'GET' && method !== 'HEAD') {
    return refuse(405, 'only GET and HEAD', { allow: 'GET, HEAD' });
  }
  const path = await fileIn(root, url);
  if (path === undefined) return refuse(404, 'not found');
  const { type, compress } = types[extname(path)] ?? {
    type: 'application/octet-stream',
    compress: false,
  };
  const encoding = compress ? encodingFor(asked['accept-encoding']) : undefined;
  const { size } = await stat(path);
  // What the build names by its content never changes under that name.
  const lasting = path.startsWith(join(root, 'assets') + sep);
  response.writeHead(200, {
    ...headers,
    'content-type': type,
    'cache-control': lasting ? 'public, max-age=31536000, immutable' : 'no-cache',
    ...(compress ? { vary: 'accept-encoding' } : {}),
    ...(encoding ? { 'content-encoding': encoding } : { 'content-length': size }),
  });
  if (method === 'HEAD') response.end();
  else if (encoding) await pipeline(createReadStream(path), encoders[encoding](), response);
  else await pipeline(createReadStream(path), response);
}

const encoders = {
  // A middle quality: the highest takes seconds for a megabyte.
  br: () => createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
  gzip: () => createGzip(),
};

/** The best encoding that a client takes. */
function encodingFor(accepted: string | string[] | undefined): keyof typeof encoders | undefined {
  const names = String(accepted ?? '')
    .split(',')
    .filter((part) => !/;\s*q=0(\.0*)?\s*$/.test(part))
    .map((part) => part.split(';')[0]!.trim());
  return (['br', 'gzip'] as const).find((name) => names.includes(name));
}

/** The real path of the file that an address names; undefined where there is none within the folder. */
async function fileIn(root: string, url: string): Promise<string | undefined> {
  let name: string;
  try {
    name = decodeURIComponent(new URL(url, 'http://localhost').pathname);
  } catch {
    return undefined;
  }
  if (name.includes('\0')) return undefined;
  const asked = join(root, name.endsWith('/') ? `${name}index.html` : name);
  const path = await realpath(asked).catch(() => undefined);
  if (path === undefined || !path.startsWith(root + sep)) return undefined;
  if (path === join(root, '_headers')) return undefined;
  return (await stat(path)).isFile() ? path : undefined;
}
