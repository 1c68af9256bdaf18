/** A worker, in Node or in a browser. */
export interface Worker {
  /** The first message that it sends; rejects where it cannot be started. */
  told: Promise<unknown>;
  end(): void;
}
