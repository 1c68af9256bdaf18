import { InputError, type LanguageModel } from '@headwise/core';
import { nextTask } from '@headwise/core/internal';
import { RunningBatch, type RunningSequence } from '@headwise/generation';
import {
  EngineBusyError,
  EngineClosedError,
  SequenceFailedError,
  SlowReaderError,
} from './errors.js';
import { PrefixCaches } from './prefix-caches.js';
import { Sequence, type SequenceRequest } from './sequence.js';

/** Limits of an engine. */
export interface EngineLimits {
  /** The most sequences that run at once; default 8. */
  running?: number | undefined;
  /** The most sequences that wait for a place; default 64. */
  waiting?: number | undefined;
  /** Milliseconds that a sequence may take, waiting included; default 600,000. */
  time?: number | undefined;
  /** The most tokens of a sequence that its reader may leave unread; default 4,096. */
  unread?: number | undefined;
  /**
   * Bytes of the keys and values of earlier prompts, all networks together: a prompt that begins like one of them runs only the rest
   * of it. 0 keeps none; default 256 MiB.
   */
  prefixes?: number | undefined;
}

/** A sequence with its place in the queue or in a batch. */
interface Entry {
  readonly sequence: Sequence;
  /** By `performance.now()`. */
  readonly deadline: number;
  /** Its place in the batch of its network. */
  place?: { readonly batch: RunningBatch; readonly running: RunningSequence };
}

/** Work that needs the device for itself, between two steps. */
interface Task {
  run: () => Promise<void>;
  refuse: (error: unknown) => void;
}

/**
 * Continuous batching: sequences of any number of clients run in one batch a network, and join and leave it between two steps.
 *
 * A sequence waits, first come, first served, until one of `limits.running` places is free. Greedy tokens are those that the
 * sequence would have alone.
 *
 * @example
 * const engine = new Engine();
 * const [sequence] = engine.submit([{ network, prompt: [1, 2, 3], options: { temperature: 0 } }]);
 * for (let token = await sequence.next(); token; token = await sequence.next()) console.log(token.id);
 * @see Yu et al. 2022 (Orca), https://www.usenix.org/conference/osdi22/presentation/yu
 */
export class Engine {
  readonly limits: Readonly<Required<{ [K in keyof EngineLimits]: number }>>;
  readonly #waiting = new Set<Entry>();
  readonly #running = new Map<RunningSequence, Entry>();
  readonly #tasks: Task[] = [];
  readonly #batches = new Map<LanguageModel, RunningBatch>();
  readonly #prefixes: PrefixCaches;
  #loop: Promise<void> | undefined;
  #closed = false;

  /** @throws InputError for a limit that is not a number of at least 1 (of `waiting` and `prefixes`, at least 0) */
  constructor({
    running = 8,
    waiting = 64,
    time = 600_000,
    unread = 4096,
    prefixes = 2 ** 28,
  }: EngineLimits = {}) {
    this.limits = { running, waiting, time, unread, prefixes };
    for (const [name, value] of Object.entries(this.limits)) {
      const least = name === 'waiting' || name === 'prefixes' ? 0 : 1;
      if (value >= least && (name === 'time' || Number.isSafeInteger(value))) continue;
      throw new InputError(`limits.${name} is ${value}; expected a number of at least ${least}`);
    }
    this.#prefixes = new PrefixCaches(prefixes);
  }

  /** The number of sequences that run. */
  get running(): number {
    return this.#running.size;
  }

  /** The number of sequences and tasks that wait. */
  get waiting(): number {
    return this.#waiting.size + this.#tasks.length;
  }

  /** What is kept of earlier prompts: its bytes, and the number of tokens that it has saved from being computed. */
  get prefixes(): { readonly bytes: number; readonly reusedTokens: number } {
    const { bytes, reusedTokens } = this.#prefixes;
    return { bytes, reusedTokens };
  }

  /** Whether nothing more is accepted. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Queues sequences, all of them or none.
   *
   * @returns a reader for each; prompts and options that cannot be used fail there, with an InputError
   * @throws EngineBusyError where they would exceed `limits.waiting`; InputError for more than there is ever room for;
   * EngineClosedError after `close`
   */
  submit(requests: readonly SequenceRequest[]): Sequence[] {
    this.#admit(requests.length);
    const deadline = performance.now() + this.limits.time;
    const sequences = requests.map((request) => {
      const sequence: Sequence = new Sequence(request, () => this.#leave(entry));
      const entry: Entry = { sequence, deadline };
      this.#waiting.add(entry);
      return sequence;
    });
    this.#start();
    return sequences;
  }

  /**
   * Runs work that needs the device for itself between two steps, such as scoring a text; waits for its turn.
   *
   * @throws EngineBusyError and EngineClosedError as `submit` does; `signal.reason` where it is aborted while waiting
   */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    this.#admit(1);
    return new Promise<T>((resolve, refuse) => {
      const run = async () => {
        if (signal?.aborted) refuse(signal.reason);
        else await work().then(resolve, refuse);
      };
      this.#tasks.push({ run, refuse });
      this.#start();
    });
  }

  /**
   * Accepts nothing more, and resolves once all sequences have ended and all tensors are freed.
   *
   * @param within milliseconds after which those that are left are cancelled
   */
  async close(within = 0): Promise<void> {
    this.#closed = true;
    const timer = setTimeout(() => this.#cancelAll(), within);
    await this.#loop;
    clearTimeout(timer);
    this.#prefixes.dispose();
  }

  #admit(count: number): void {
    if (this.#closed) throw new EngineClosedError('the server is shutting down');
    const { running, waiting } = this.limits;
    if (count > running + waiting) {
      throw new InputError(
        `${count} sequences at once; the limits of ${running} that run and ${waiting} that wait hold at most ${running + waiting}`,
      );
    }
    const free = Math.max(0, running - this.running);
    if (this.waiting + count <= waiting + free) return;
    throw new EngineBusyError(
      `${this.running} sequences run and ${this.waiting} wait, which leaves no room for ${count} more; the limits are ${running} and ${waiting}`,
    );
  }

  /** Takes a sequence that has ended for its reader out of the queue or its batch. */
  #leave(entry: Entry): void {
    this.#waiting.delete(entry);
    if (!entry.place) return;
    const { batch, running } = entry.place;
    batch.remove(running);
    this.#running.delete(running);
  }

  #cancelAll(): void {
    const error = new EngineClosedError('the server is shutting down');
    for (const entry of [...this.#waiting, ...this.#running.values()]) {
      entry.sequence.fail(error);
      this.#leave(entry);
    }
    for (const { refuse } of this.#tasks.splice(0)) refuse(error);
  }

  #start(): void {
    this.#loop ??= this.#work();
  }

  async #work(): Promise<void> {
    do {
      // What came in together is looked at together.
      await nextTask();
      this.#endOverdue();
      this.#join();
      await this.#tasks.shift()?.run();
      for (const [network, batch] of this.#batches) {
        if (batch.size > 0) await this.#step(network, batch);
        // A batch without sequences keeps nothing.
        if (batch.size === 0) this.#disposeBatch(network, batch);
      }
    } while (this.#waiting.size + this.#running.size + this.#tasks.length > 0);
    for (const [network, batch] of this.#batches) this.#disposeBatch(network, batch);
    this.#loop = undefined;
  }

  #endOverdue(): void {
    const now = performance.now();
    const { time } = this.limits;
    for (const entry of [...this.#waiting, ...this.#running.values()]) {
      if (now < entry.deadline) continue;
      if (entry.place) entry.sequence.end('time');
      else entry.sequence.fail(new EngineBusyError(`no place was free within ${time / 1000} s`));
      this.#leave(entry);
    }
  }

  /** Gives free places to those that wait. */
  #join(): void {
    for (const entry of this.#waiting) {
      if (this.running >= this.limits.running) return;
      this.#waiting.delete(entry);
      const { network, prompt, options, alternatives } = entry.sequence.request;
      const prefixCache = this.#prefixes.of(network);
      const batch = this.#batches.get(network) ?? new RunningBatch(network, { prefixCache });
      this.#batches.set(network, batch);
      try {
        const running = batch.add(prompt, options, { alternatives });
        entry.place = { batch, running };
        this.#running.set(running, entry);
      } catch (error) {
        entry.sequence.fail(error);
      }
    }
  }

  async #step(network: LanguageModel, batch: RunningBatch): Promise<void> {
    try {
      const results = await batch.step();
      this.#prefixes.evict();
      for (const { sequence: running, token, reason, stopToken, error } of results) {
        const entry = this.#running.get(running);
        if (!entry) continue;
        const { sequence } = entry;
        if (token) sequence.push(token);
        if (reason === 'error') sequence.fail(failureOf(error));
        else if (reason) sequence.end(reason, stopToken);
        else if (sequence.unread <= this.limits.unread) continue;
        else sequence.fail(new SlowReaderError(`${sequence.unread} tokens were left unread`));
        this.#leave(entry);
      }
    } catch (error) {
      // What became of the others is unknown: they fail with it.
      for (const entry of [...this.#running.values()]) {
        if (entry.place?.batch !== batch) continue;
        entry.sequence.fail(error);
        this.#leave(entry);
      }
      this.#disposeBatch(network, batch);
    }
  }

  #disposeBatch(network: LanguageModel, batch: RunningBatch): void {
    this.#batches.delete(network);
    batch.dispose();
  }
}

/** The error that a sequence's reader gets where the engine failed, not its request. */
const failureOf = (cause: unknown): SequenceFailedError =>
  new SequenceFailedError(cause instanceof Error ? cause.message : String(cause), { cause });
