/** What the page sends to a worker. */
export type Request =
  | { id: number; method: string; args: unknown[] }
  /** Ends a call before its time. */
  | { id: number; cancel: true };

/** What a worker sends to the page. */
export type Reply =
  | { id: number; result: unknown }
  | { id: number; error: { name: string; message: string } }
  | { id: number; progress: unknown }
  | { event: unknown };

/** What a method is told besides its arguments. */
export interface Call {
  signal: AbortSignal;
  progress(value: unknown): void;
}

// biome-ignore lint/suspicious/noExplicitAny: methods differ in their arguments, which `Client` keeps typed
export type Methods = Record<string, (call: Call, ...args: any[]) => unknown>;

/** What is used of a worker's global scope, whose types exclude those of a page. */
export interface WorkerScope {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<Request>) => void): void;
  readonly location: { readonly href: string };
}

/** Answers the page's requests with methods. */
export function serve(scope: WorkerScope, methods: Methods): void {
  const running = new Map<number, AbortController>();
  scope.addEventListener('message', async ({ data }) => {
    const { id } = data;
    if ('cancel' in data) {
      running.get(id)?.abort();
      return;
    }
    const controller = new AbortController();
    running.set(id, controller);
    const reply = (message: Reply, transfer: Transferable[] = []) =>
      scope.postMessage(message, transfer);
    const call: Call = {
      signal: controller.signal,
      progress: (progress) => reply({ id, progress }),
    };
    try {
      const method = methods[data.method];
      if (!method) throw new Error(`there is no method '${data.method}'`);
      const result = await method(call, ...data.args);
      reply({ id, result }, buffersOf(result));
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      reply({ id, error: { name, message } });
    } finally {
      running.delete(id);
    }
  });
}

/** The buffers in a result that are handed over instead of copied: those of its own arrays. */
function buffersOf(result: unknown): Transferable[] {
  const found = new Set<ArrayBuffer>();
  const visit = (value: unknown): void => {
    if (ArrayBuffer.isView(value)) {
      const { buffer, byteLength } = value;
      if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) found.add(buffer);
    } else if (Array.isArray(value)) value.forEach(visit);
    else if (value && Object.getPrototypeOf(value) === Object.prototype) {
      Object.values(value).forEach(visit);
    }
  };
  visit(result);
  return [...found];
}
