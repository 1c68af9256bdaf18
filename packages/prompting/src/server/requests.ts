import { HeadwiseError, InputError } from '@headwise/core';
import { checkCount } from '../check-count.js';
import { eventData } from './event-data.js';

/** A server of a model did not answer as asked. */
export class ServerModelError extends HeadwiseError {
  override readonly name: string = 'ServerModelError';
}

/** A server ended the stream of a text before the text's end. */
export class CutStreamError extends ServerModelError {
  override readonly name = 'CutStreamError';

  constructor(
    message: string,
    /** What came of the text. */
    readonly text: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** How requests are sent. Times are in milliseconds. */
export interface RequestOptions {
  /** Where the API is, such as `http://127.0.0.1:8080/v1`. */
  url: string;
  /** The environment variable that holds the key; default none is sent. A key is never an argument, and never written. */
  keyVariable?: string | undefined;
  /** Retries of a request that failed with 408, 429, 5xx, a timeout, a lost connection or an answer that is cut. Default 5. */
  retries?: number | undefined;
  /** The wait before the first retry, which doubles with each and is no shorter than the server's `Retry-After`. Default 500. */
  wait?: number | undefined;
  /** The longest wait. Default 30,000. */
  longestWait?: number | undefined;
  /** How long an answer may take, a stream to its end. Default 120,000. */
  timeout?: number | undefined;
  /** Requests under way at a time. Default 4. */
  concurrent?: number | undefined;
  /** Requests that are begun in a minute at most. Default unlimited. */
  requestsPerMinute?: number | undefined;
}

/** `RequestOptions` with every default filled in. */
type Settings = Pick<RequestOptions, 'keyVariable'> & {
  [Name in Exclude<keyof RequestOptions, 'keyVariable'>]-?: NonNullable<RequestOptions[Name]>;
};

interface Sending {
  signal?: AbortSignal | undefined;
  final?: RegExp | undefined;
}

/** Sends requests to a server and reads JSON, with retries, a limit of concurrent requests and a rate limit. */
export class Requests {
  readonly #options: Settings;
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #nextStart = 0;

  /** @throws InputError for an address that is not one of HTTP, and numbers out of range */
  constructor({ keyVariable, ...options }: RequestOptions) {
    const defaults = {
      retries: 5,
      wait: 500,
      longestWait: 30_000,
      timeout: 120_000,
      concurrent: 4,
    };
    const given = Object.entries(options).filter(([, value]) => value !== undefined);
    this.#options = {
      ...defaults,
      requestsPerMinute: Number.POSITIVE_INFINITY,
      url: options.url,
      ...Object.fromEntries(given),
      keyVariable,
    };
    if (!/^https?:\/\//.test(options.url)) {
      throw new InputError(`url is '${options.url}'; expected an address with http: or https:`);
    }
    checkCount('retries', this.#options.retries, 0);
    checkCount('wait', this.#options.wait, 0);
    checkCount('longestWait', this.#options.longestWait, 0);
    checkCount('timeout', this.#options.timeout, 1);
    checkCount('concurrent', this.#options.concurrent, 1);
    if (!(this.#options.requestsPerMinute > 0)) {
      throw new InputError(
        `requestsPerMinute is ${this.#options.requestsPerMinute}; expected a number above 0`,
      );
    }
  }

  /**
   * The JSON that the server answers.
   *
   * @param path behind the address of the API, or a whole address
   * @param options.signal ends it from outside, with its reason as the error
   * @param options.final an error whose message has this is not sent again
   * @throws ServerModelError for an answer that is an error, or none, after all retries; InputError where the key's variable is not set
   */
  post(path: string, body: object, options: Sending = {}): Promise<unknown> {
    return this.#send(path, { method: 'POST', body: JSON.stringify(body) }, options);
  }

  /**
   * The data of the server-sent events that the server answers. Requests are sent again as those of `post`, until a stream begins.
   *
   * @throws as `post`; what ends the stream from outside
   */
  async *stream(path: string, body: object, signal?: AbortSignal): AsyncGenerator<string, void> {
    const request = { method: 'POST', body: JSON.stringify(body) };
    await this.#take();
    try {
      yield* eventData(await this.#answered(path, request, { signal, read: streamOf }));
    } finally {
      this.#free();
    }
  }

  /** As `post`, for what the server answers without a question. */
  get(path: string, signal?: AbortSignal): Promise<unknown> {
    return this.#send(path, { method: 'GET' }, { signal });
  }

  async #send(
    path: string,
    request: Pick<RequestInit, 'method' | 'body'>,
    options: Sending,
  ): Promise<unknown> {
    await this.#take();
    try {
      return await this.#answered(path, request, { ...options, read: jsonOf });
    } finally {
      this.#free();
    }
  }

  /** Sends a request until it is answered, or is not to be sent again. */
  async #answered<T>(
    path: string,
    request: Pick<RequestInit, 'method' | 'body'>,
    { signal, final, read }: Sending & { read: Reader<T> },
  ): Promise<T> {
    const base = path.startsWith('/') ? this.#options.url.replace(/\/+$/, '') : '';
    const address = `${base}${path}`;
    const headers = this.#headers();
    const { retries, wait, longestWait } = this.#options;
    for (let tried = 0; ; tried++) {
      signal?.throwIfAborted();
      await this.#pace(signal);
      const answer = await this.#once(address, { ...request, headers, signal }, read);
      if ('value' in answer) return answer.value;
      if (!answer.again || final?.test(answer.problem) || tried >= retries) {
        const times = tried > 0 ? `, after ${tried + 1} requests` : '';
        throw new ServerModelError(`${address}: ${answer.problem}${times}`);
      }
      const doubled = Math.min(longestWait, wait * 2 ** tried);
      // Clients that were refused together do not come back together.
      const spread = doubled * (0.5 + Math.random() / 2);
      await sleep(Math.max(spread, Math.min(longestWait, answer.after ?? 0)), signal);
    }
  }

  async #once<T>(
    address: string,
    { signal, ...request }: Omit<RequestInit, 'signal'> & { signal: AbortSignal | undefined },
    read: Reader<T>,
  ): Promise<Answer<T>> {
    const limit = AbortSignal.timeout(this.#options.timeout);
    const either = signal ? AbortSignal.any([signal, limit]) : limit;
    try {
      const response = await fetch(address, { ...request, signal: either });
      if (response.ok) return await read(response);
      const text = await response.text();
      const again = response.status === 408 || response.status === 429 || response.status >= 500;
      return {
        problem: `status ${response.status}: ${messageOf(text)}`,
        again,
        after: afterOf(response),
      };
    } catch (error) {
      signal?.throwIfAborted();
      if (limit.aborted) {
        return { problem: `no answer within ${this.#options.timeout} ms`, again: true };
      }
      return { problem: `no whole answer: ${causeOf(error)}`, again: true };
    }
  }

  #headers(): Record<string, string> {
    const headers = { 'content-type': 'application/json' };
    const { keyVariable } = this.#options;
    if (keyVariable === undefined) return headers;
    const environment = (globalThis as { process?: { env?: Record<string, string | undefined> } })
      .process?.env;
    const key = environment?.[keyVariable];
    if (key) return { ...headers, authorization: `Bearer ${key}` };
    throw new InputError(
      `the environment variable ${keyVariable} is not set; expected the key of ${this.#options.url}`,
    );
  }

  /** Waits for one of the places. */
  async #take(): Promise<void> {
    if (this.#running < this.#options.concurrent) this.#running++;
    else await new Promise<void>((free) => this.#waiting.push(free));
  }

  #free(): void {
    // The place passes to the first request in the queue: a new one must not take it first.
    const next = this.#waiting.shift();
    if (next) next();
    else this.#running--;
  }

  /** Waits until another request may begin. */
  async #pace(signal: AbortSignal | undefined): Promise<void> {
    const now = performance.now();
    const start = Math.max(now, this.#nextStart);
    this.#nextStart = start + 60_000 / this.#options.requestsPerMinute;
    if (start > now) await sleep(start - now, signal);
  }
}

type Answer<T> =
  | { readonly value: T }
  | { readonly problem: string; readonly again: boolean; readonly after?: number | undefined };

/** Reads the body of a response. */
type Reader<T> = (response: Response) => Promise<Answer<T>>;

async function jsonOf(response: Response): Promise<Answer<unknown>> {
  const text = await response.text();
  try {
    return { value: JSON.parse(text) };
  } catch {
    return { problem: `the answer is not JSON: ${shortened(text)}`, again: true };
  }
}

async function streamOf(response: Response): Promise<Answer<ReadableStream<Uint8Array>>> {
  const type = response.headers.get('content-type') ?? 'of no type';
  if (response.body && type.startsWith('text/event-stream')) return { value: response.body };
  await response.body?.cancel();
  return { problem: `the answer is ${type}; expected a stream, text/event-stream`, again: false };
}

/** What went wrong, with what the system says of it. */
export function causeOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}

/** The milliseconds of `Retry-After`, in seconds or as a date. */
function afterOf(response: Response): number | undefined {
  const value = response.headers.get('retry-after');
  if (value === null) return undefined;
  const seconds = Number(value);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(wait) ? wait : undefined;
}

function messageOf(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: string } | string };
    const message = typeof error === 'string' ? error : error?.message;
    if (message) return message;
  } catch {
    // A server in between answers in HTML.
  }
  return shortened(text) || 'without a message';
}

const shortened = (text: string): string => (text.length > 200 ? `${text.slice(0, 197)}…` : text);

function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', end);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', end, { once: true });
  });
}
