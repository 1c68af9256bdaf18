/** Hands pieces from one loop to another; `push` waits while more than 2^20 of their size is on its way. */
export class Channel<T> implements AsyncIterable<T> {
  readonly #sizeOf: (piece: T) => number;
  #pieces: T[] = [];
  #size = 0;
  #ended = false;
  #failure: { error: unknown } | undefined;
  #changed: Signal = signal();

  constructor(sizeOf: (piece: T) => number) {
    this.#sizeOf = sizeOf;
  }

  async push(piece: T): Promise<void> {
    this.#pieces.push(piece);
    this.#size += this.#sizeOf(piece);
    this.#change();
    while (this.#size > 2 ** 20) await this.#changed.promise;
  }

  end(): void {
    this.#ended = true;
    this.#change();
  }

  /** Makes the reading loop throw. */
  fail(error: unknown): void {
    this.#failure = { error };
    this.#change();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      if (this.#failure) throw this.#failure.error;
      if (this.#pieces.length > 0) {
        const pieces = this.#pieces;
        this.#pieces = [];
        this.#size = 0;
        this.#change();
        yield* pieces;
      } else if (this.#ended) return;
      else await this.#changed.promise;
    }
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = signal();
  }
}

interface Signal {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function signal(): Signal {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
