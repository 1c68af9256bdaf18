import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The commit that `main` stands for. */
export const commit = 'c0ffee'.padEnd(40, '0');

/** How the content host behaves from now on. */
export interface Behaviour {
  /** Every connection breaks after this many bytes. */
  cutAfter?: number | undefined;
  /** No parts: every request is answered with the whole file. */
  whole?: boolean | undefined;
  /** What large files are answered with in place of their content. */
  content?: Uint8Array | undefined;
  /** The status of every answer for large files. */
  status?: number | undefined;
  /** Where the hub sends us on to for large files; default its content host. */
  location?: string | undefined;
  /** The ETag of each request for a large file, by its number. */
  etag?: ((request: number) => string) | undefined;
  /** Changes the listing before it is sent. */
  listing?: ((json: { sha: string; siblings: object[] }) => unknown) | undefined;
}

/** A request as it came. */
export interface Asked {
  host: 'hub' | 'content';
  path: string;
  range: string | undefined;
  authorization: string | undefined;
}

const sha = (kind: 'sha1' | 'sha256', ...parts: (string | Uint8Array)[]) => {
  const hash = createHash(kind);
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

/**
 * A hub on this machine: its API, addresses of files at a commit, and a second server for the content of large files, that
 * the first redirects to.
 */
export class LocalHub {
  readonly asked: Asked[] = [];
  behaviour: Behaviour = {};
  /** The token that `owner/closed` needs. */
  readonly token = 'hub-token';
  #hub: Server;
  #content: Server;

  /** @param files of every repository, by their names; weights are large ones */
  constructor(public files: Readonly<Record<string, Uint8Array>>) {
    this.#hub = createServer((request, response) => this.#answer(request, response));
    this.#content = createServer((request, response) => this.#give(request, response));
  }

  async listen(): Promise<void> {
    for (const server of [this.#hub, this.#content]) {
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    }
  }

  close(): void {
    for (const server of [this.#hub, this.#content]) {
      server.close();
      server.closeAllConnections();
    }
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#hub.address() as AddressInfo).port}`;
  }

  /** What a client is told of this hub. */
  get options(): { endpoint: string; contentHosts: string[]; allowLoopbackHttp: boolean } {
    return { endpoint: this.endpoint, contentHosts: ['localhost'], allowLoopbackHttp: true };
  }

  /** The requests for a file, or for the listing. */
  askedFor(name: string): Asked[] {
    return this.asked.filter(({ path }) => path.split('?')[0]!.endsWith(name));
  }

  #answer({ url, headers }: IncomingMessage, response: ServerResponse): void {
    const { range, authorization } = headers;
    this.asked.push({ host: 'hub', path: url!, range, authorization });
    const refuse = (status: number, code: string): void => {
      response.writeHead(status, { 'x-error-code': code }).end();
    };
    const [, repository, revision] =
      /^\/(?:api\/models\/)?(owner\/\w+)\/(?:revision|resolve)\/([^/?]+)/.exec(url!) ?? [];
    if (!repository || repository === 'owner/missing') return void refuse(401, 'RepoNotFound');
    if (repository === 'owner/gated') return void refuse(403, 'GatedRepo');
    if (repository === 'owner/closed' && authorization !== `Bearer ${this.token}`) {
      return void refuse(401, 'RepoNotFound');
    }
    if (!['main', 'refs%2Fpr%2F1', commit].includes(revision!)) {
      return void refuse(404, 'RevisionNotFound');
    }
    if (url!.startsWith('/api/')) {
      const json = { sha: commit, siblings: Object.keys(this.files).map((f) => this.#listed(f)) };
      const { listing = (same: unknown) => same } = this.behaviour;
      response.end(JSON.stringify(listing(json)));
      return;
    }
    const file = decodeURIComponent(url!.split(`/resolve/${revision}/`)[1]!);
    const bytes = this.files[file];
    if (!bytes) return void refuse(404, 'EntryNotFound');
    if (!isLarge(file)) {
      send(bytes, range, response, {});
      return;
    }
    const { port } = this.#content.address() as AddressInfo;
    const location = this.behaviour.location ?? `http://localhost:${port}/${file}?signed=1`;
    response.writeHead(302, { location, 'x-linked-etag': `"${sha('sha256', bytes)}"` }).end();
  }

  #listed(rfilename: string): object {
    const bytes = this.files[rfilename]!;
    const { length: size } = bytes;
    if (isLarge(rfilename)) return { rfilename, size, lfs: { sha256: sha('sha256', bytes), size } };
    return { rfilename, size, blobId: sha('sha1', `blob ${size}\0`, bytes) };
  }

  #give({ url, headers }: IncomingMessage, response: ServerResponse): void {
    const { range, authorization } = headers;
    this.asked.push({ host: 'content', path: url!, range, authorization });
    const { cutAfter, whole, content, status, etag } = this.behaviour;
    if (status !== undefined) {
      response.writeHead(status).end();
      return;
    }
    const bytes = content ?? this.files[url!.split('?')[0]!.slice(1)]!;
    const number = this.asked.filter(({ host }) => host === 'content').length;
    const more = etag ? { etag: etag(number) } : {};
    send(bytes, whole ? undefined : range, response, more, cutAfter);
  }
}

const isLarge = (file: string) => /\.(safetensors|gguf)$/.test(file);

function send(
  bytes: Uint8Array,
  range: string | undefined,
  response: ServerResponse,
  headers: Record<string, string>,
  cutAfter = Number.POSITIVE_INFINITY,
): void {
  const [, begin, end] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
  const from = Number(begin ?? 0);
  const to = Math.min(Number(end ?? bytes.length - 1), bytes.length - 1) + 1;
  if (begin !== undefined && from >= bytes.length) {
    response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
    return;
  }
  const part =
    begin === undefined ? {} : { 'content-range': `bytes ${from}-${to - 1}/${bytes.length}` };
  response.writeHead(begin === undefined ? 200 : 206, {
    ...headers,
    ...part,
    'content-length': to - from,
  });
  if (to - from <= cutAfter) response.end(bytes.subarray(from, to));
  else response.write(bytes.subarray(from, from + cutAfter), () => response.destroy());
}
