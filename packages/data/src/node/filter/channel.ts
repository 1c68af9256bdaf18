/** Hands pieces from one loop to another; `push` waits while more than a megabyte is on its way. */
export class Channel implements AsyncIterable<Uint8Array> {
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #ended = false;
  #failure: { error: unknown } | undefined;
  #changed: Signal = signal();

  async push(piece: Uint8Array): Promise<void> {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    this.#change();
    while (this.#bytes > 2 ** 20) await this.#changed.promise;
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

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.#failure) throw this.#failure.error;
      if (this.#pieces.length > 0) {
        const pieces = this.#pieces;
        this.#pieces = [];
        this.#bytes = 0;
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
