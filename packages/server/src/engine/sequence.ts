import type { LanguageModel } from '@headwise/core';
import type { GeneratedToken, GenerateOptions, StopReason } from '@headwise/generation';

/** A sequence that an engine is asked to continue. */
export interface SequenceRequest {
  readonly network: LanguageModel;
  /** Ids in [0, V), at least one. */
  readonly prompt: readonly number[];
  readonly options: GenerateOptions;
  /** The number of likeliest tokens to give with each token; default 0. */
  readonly alternatives?: number | undefined;
}

/** A sequence in an engine: its tokens as they come, and why it ended. */
export class Sequence {
  readonly request: SequenceRequest;
  readonly #onCancel: () => void;
  readonly #tokens: GeneratedToken[] = [];
  #wake: (() => void) | undefined;
  #ended = false;
  #reason: StopReason | undefined;
  #stopToken: GeneratedToken | undefined;
  #error: unknown;
  #made = 0;

  /** @param onCancel called once where the sequence is cancelled before its end */
  constructor(request: SequenceRequest, onCancel: () => void) {
    this.request = request;
    this.#onCancel = onCancel;
  }

  /** Why it ended; undefined before. */
  get reason(): StopReason | undefined {
    return this.#reason;
  }

  /** The stop id that ended it, where one did, which is none of its tokens. */
  get stopToken(): GeneratedToken | undefined {
    return this.#stopToken;
  }

  /** Whether it ended, failed or was cancelled. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The number of tokens that were generated. */
  get made(): number {
    return this.#made;
  }

  /** The number of tokens that were generated and not read yet. */
  get unread(): number {
    return this.#tokens.length;
  }

  /**
   * The next token; undefined after the last one.
   *
   * @throws whatever ended the sequence, after the tokens before
   */
  async next(): Promise<GeneratedToken | undefined> {
    while (this.#tokens.length === 0 && !this.#ended) {
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
    const token = this.#tokens.shift();
    if (token === undefined && this.#error !== undefined) throw this.#error;
    return token;
  }

  /** Ends the sequence where it is; its place is free before the next step. */
  cancel(): void {
    if (this.#ended) return;
    this.end('signal');
    this.#onCancel();
  }

  /** For the engine: gives a token to the reader. */
  push(token: GeneratedToken): void {
    if (this.#ended) return;
    this.#made++;
    this.#tokens.push(token);
    this.#notify();
  }

  /** For the engine: no token follows. */
  end(reason: StopReason, stopToken?: GeneratedToken): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#reason = reason;
    this.#stopToken = stopToken;
    this.#notify();
  }

  /** For the engine: no token follows, and the reader gets the error. */
  fail(error: unknown): void {
    if (this.#ended) return;
    this.#error = error;
    this.#ended = true;
    this.#notify();
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
