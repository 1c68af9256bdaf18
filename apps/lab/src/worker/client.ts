import type { Methods, Reply, Request } from './rpc.js';

/** An error that a worker met; `name` is that of its class there. */
export class WorkerError extends Error {
  constructor(
    override readonly name: string,
    message: string,
  ) {
    super(message);
  }
}

export interface CallOptions<Progress = unknown> {
  signal?: AbortSignal;
  onProgress?: (value: Progress) => void;
  /** Buffers in the arguments that are handed over instead of copied. */
  transfer?: Transferable[];
}

type Arguments<M> = M extends (call: never, ...args: infer A) => unknown ? A : never;
type Result<M> = M extends (...args: never[]) => infer R ? Awaited<R> : never;

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
  onProgress: ((value: never) => void) | undefined;
}

const notLoaded =
  'A part of the lab could not be loaded: the connection is lost, or a newer version has taken the place of this one. Load the lab again; runs are kept.';

/** Calls the methods of a worker, and hears its events. */
export class Client<M extends Methods, Event> {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #next = 0;
  /** Why no call will be answered any more. */
  #dead: WorkerError | undefined;

  constructor(worker: Worker, onEvent: (event: Event) => void = () => {}) {
    this.#worker = worker;
    worker.addEventListener('message', ({ data }: MessageEvent<Reply>) => {
      if ('event' in data) {
        onEvent(data.event as Event);
        return;
      }
      const pending = this.#pending.get(data.id);
      if (!pending) return;
      if ('progress' in data) {
        pending.onProgress?.(data.progress as never);
        return;
      }
      this.#pending.delete(data.id);
      if ('error' in data) pending.reject(new WorkerError(data.error.name, data.error.message));
      else pending.resolve(data.result);
    });
    worker.addEventListener('error', (event) => {
      // Without a message it is the worker's own code that could not be fetched.
      const error = new WorkerError('Error', event.message || notLoaded);
      if (!event.message) this.#dead = error;
      for (const { reject } of this.#pending.values()) reject(error);
      this.#pending.clear();
    });
  }

  /** Calls a method; `signal` asks it to end, and it then gives what it has. */
  call<Name extends keyof M & string>(
    method: Name,
    args: Arguments<M[Name]>,
    { signal, onProgress, transfer = [] }: CallOptions<never> = {},
  ): Promise<Result<M[Name]>> {
    if (this.#dead) return Promise.reject(this.#dead);
    const id = this.#next++;
    const send = (request: Request, moved: Transferable[] = []) =>
      this.#worker.postMessage(request, moved);
    const result = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, onProgress });
    });
    signal?.addEventListener('abort', () => send({ id, cancel: true }), { once: true });
    send({ id, method, args }, transfer);
    return result as Promise<Result<M[Name]>>;
  }
}
