import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { HeadwiseError, InputError } from '@headwise/core';
import WebSocket from 'ws';
import { type Answer, request } from './request.js';

/** A Ray cluster does not answer, refuses a request, or is gone. */
export class RayError extends HeadwiseError {
  override readonly name = 'RayError';
}

/** Where a job of Ray stands. */
export type JobStatus = 'PENDING' | 'RUNNING' | 'STOPPED' | 'SUCCEEDED' | 'FAILED';

/** What Ray says of a job. */
export interface JobInfo {
  status: JobStatus;
  message?: string | undefined;
}

export const isEnded = ({ status }: JobInfo): boolean =>
  status === 'STOPPED' || status === 'SUCCEEDED' || status === 'FAILED';

/** A job to start, in the terms of Ray's Jobs REST API. */
export interface JobRequest {
  entrypoint: string;
  submission_id: string;
  runtime_env: { working_dir: string; env_vars: Record<string, string> };
  metadata: Record<string, string>;
  entrypoint_num_cpus: number;
  entrypoint_num_gpus?: number | undefined;
}

/** Options of a `RayClient`. */
export interface RayOptions {
  /** For a cluster with token authentication. */
  token?: string | undefined;
  /** Milliseconds that a cluster may be silent before it counts as gone. Default 20,000. */
  patience?: number | undefined;
}

const usualPatience = 20_000;
const requestTime = 30_000;
const uploadTime = 600_000;
/** The largest body that Ray's dashboard takes. */
const mostBytes = 100 * 2 ** 20;
/** The first version of Ray whose API has everything that is used here. */
const leastVersion = [2, 9] as const;

/**
 * Ray's Jobs REST API, at the address of a cluster's dashboard.
 *
 * @see https://docs.ray.io/en/latest/cluster/running-applications/job-submission/rest.html
 */
export class RayClient {
  /** The address, without a slash at its end. */
  readonly address: string;
  readonly #headers: Record<string, string>;
  readonly #patience: number;

  /**
   * @param address `http://host:8265`
   * @throws InputError where it is not an address
   */
  constructor(address: string, { token, patience = usualPatience }: RayOptions = {}) {
    if (!/^https?:$/.test(URL.canParse(address) ? new URL(address).protocol : '')) {
      throw new InputError(
        `--ray is '${address}'; expected the address of a Ray dashboard, such as http://127.0.0.1:8265`,
      );
    }
    this.address = address.replace(/\/+$/, '');
    this.#patience = patience;
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  /**
   * Ray's version there.
   *
   * @throws RayError where nothing answers, something else than Ray does, or the version is too old
   */
  async checkVersion(): Promise<string> {
    const response = await this.#send('GET', '/api/version', { patience: 0 });
    const { ray_version: version } = await (response.ok
      ? this.#json(response)
      : { ray_version: 0 });
    if (typeof version !== 'string') {
      throw new RayError(
        `${this.address}: does not answer as Ray does (GET /api/version: ${response.status}); expected the address of a Ray dashboard`,
      );
    }
    const [major = 0, minor = 0] = version.split('.').map(Number);
    const [least, leastMinor] = leastVersion;
    if (major < least || (major === least && minor < leastMinor)) {
      throw new RayError(
        `${this.address}: runs Ray ${version}; expected ${leastVersion.join('.')} or newer`,
      );
    }
    return version;
  }

  /**
   * Uploads a package unless the cluster has it.
   *
   * @param name of the archive, `_ray_pkg_….zip`; one of the same name has the same content
   * @returns its URI, for `working_dir`
   */
  async upload(name: string, bytes: Uint8Array): Promise<string> {
    if (bytes.length > mostBytes) {
      throw new InputError(
        `the files for the job take ${bytes.length} bytes, packed; Ray takes ${mostBytes}. Put them below a folder that the cluster sees too, and name it with --shared`,
      );
    }
    const path = `/api/packages/gcs/${name}`;
    const there = await this.#send('GET', path);
    if (there.status === 404) {
      const sent = await this.#send('PUT', path, { body: bytes, time: uploadTime });
      this.#expectOk(sent, `PUT ${path}`);
    } else this.#expectOk(there, `GET ${path}`);
    return `gcs://${name}`;
  }

  async submit(job: JobRequest): Promise<void> {
    const response = await this.#send('POST', '/api/jobs/', { json: job, patience: 0 });
    this.#expectOk(response, 'POST /api/jobs/');
  }

  /** @throws RayError where the job is not known there */
  async info(job: string): Promise<JobInfo> {
    const path = `/api/jobs/${job}`;
    const response = await this.#send('GET', path);
    this.#expectOk(response, `GET ${path}`);
    const { status, message } = this.#json(response);
    return { status: status as JobStatus, message: message ? String(message) : undefined };
  }

  /** Asks a job to stop; it gets SIGTERM. */
  async stop(job: string): Promise<void> {
    const path = `/api/jobs/${job}/stop`;
    this.#expectOk(await this.#send('POST', path, { patience: 0 }), `POST ${path}`);
  }

  /**
   * Streams the log of a job from its beginning until the job ends; reconnects when the connection is lost.
   *
   * @throws RayError where the cluster is gone
   */
  async *follow(job: string): AsyncGenerator<string> {
    let seen = 0;
    for (;;) {
      // Ray sends the log from its beginning to each who asks.
      let at = 0;
      for await (const text of this.#tail(job)) {
        const fresh = text.slice(Math.max(0, seen - at));
        at += text.length;
        seen = Math.max(seen, at);
        if (fresh !== '') yield fresh;
      }
      if (isEnded(await this.info(job))) {
        yield* this.#rest(job, seen);
        return;
      }
      await sleep(500);
    }
  }

  /** What a log that has ended holds beyond what was seen of it. */
  async *#rest(job: string, seen: number): AsyncGenerator<string> {
    const path = `/api/jobs/${job}/logs`;
    const response = await this.#send('GET', path);
    this.#expectOk(response, `GET ${path}`);
    const { logs } = this.#json(response);
    const rest = String(logs ?? '').slice(seen);
    if (rest !== '') yield rest;
  }

  /** The messages of one connection; it ends with the connection, for whatever reason. */
  async *#tail(job: string): AsyncGenerator<string> {
    const address = `${this.address.replace(/^http/, 'ws')}/api/jobs/${job}/logs/tail`;
    const socket = new WebSocket(address, {
      headers: this.#headers,
      handshakeTimeout: requestTime,
      // Ray's dashboard, a proxy here, closes a connection that was promised compressed messages.
      perMessageDeflate: false,
    });
    const waiting: string[] = [];
    let wake = () => {};
    let open = true;
    // A host that is gone closes nothing: it does not answer a ping either.
    let alive = true;
    const pings = setInterval(() => {
      if (!alive) socket.terminate();
      alive = false;
      if (socket.readyState === WebSocket.OPEN) socket.ping();
    }, this.#patience).unref();
    socket.on('pong', () => {
      alive = true;
    });
    socket.on('message', (data) => {
      alive = true;
      waiting.push(String(data));
      wake();
    });
    const closed = once(socket, 'close')
      .catch(() => {})
      .then(() => {
        open = false;
        wake();
      });
    socket.on('error', () => {}); // 'close' follows
    try {
      for (;;) {
        const next = waiting.shift();
        if (next !== undefined) yield next;
        else if (!open) return;
        else
          await new Promise<void>((done) => {
            wake = done;
            if (waiting.length > 0 || !open) done();
          });
      }
    } finally {
      clearInterval(pings);
      socket.terminate();
      await closed;
    }
  }

  /** Sends a request; while the cluster is silent or fails, again until `patience` is over. */
  async #send(method: string, path: string, options: SendOptions = {}): Promise<Answer> {
    const { body, json, time = requestTime } = options;
    const until = performance.now() + (options.patience ?? this.#patience);
    for (;;) {
      let problem: string;
      try {
        const response = await request(`${this.address}${path}`, {
          method,
          signal: AbortSignal.timeout(time),
          headers: { ...this.#headers, ...(json ? { 'content-type': 'application/json' } : {}) },
          body: json ? Buffer.from(JSON.stringify(json)) : body,
        });
        if (response.status === 401 || response.status === 403) {
          throw new RayError(
            `${this.address}: refuses ${method} ${path} (${response.status}); set RAY_AUTH_TOKEN to the cluster's token`,
          );
        }
        if (response.status < 502 || performance.now() >= until) return response;
        problem = String(response.status);
      } catch (error) {
        if (error instanceof RayError) throw error;
        const { code, message } = error as NodeJS.ErrnoException;
        problem = code ?? message;
      }
      if (performance.now() >= until) {
        throw new RayError(`${this.address}: does not answer ${method} ${path}: ${problem}`);
      }
      await sleep(500);
    }
  }

  #expectOk(response: Answer, request: string): void {
    if (response.ok) return;
    const text = response.text.trim();
    // Of a Python traceback the last line says what went wrong.
    const why = text.includes('Traceback') ? text.slice(text.lastIndexOf('\n') + 1) : text;
    throw new RayError(`${this.address}: ${request}: ${response.status} ${why}`.trimEnd());
  }

  #json(response: Answer): Record<string, unknown> {
    try {
      const json: unknown = JSON.parse(response.text);
      if (typeof json === 'object' && json !== null) return json as Record<string, unknown>;
    } catch {
      // Said below.
    }
    throw new RayError(`${this.address}: ${response.path}: the answer is not a JSON object`);
  }
}

interface SendOptions {
  body?: Uint8Array | undefined;
  json?: object | undefined;
  /** Milliseconds for one attempt. */
  time?: number | undefined;
  /** Milliseconds in which failed attempts are repeated. */
  patience?: number | undefined;
}
