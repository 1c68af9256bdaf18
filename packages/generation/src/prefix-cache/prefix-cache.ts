import { checkPart, InputError, isEncoderDecoder, type LanguageModel } from '@headwise/core';
import { type CacheStorage, KeyValueCache } from '@headwise/decoding';
import type { SafetensorsReader } from '@headwise/safetensors';
import * as tf from '@tensorflow/tfjs';
import { appendParts, countOf, partOf } from './copies.js';
import { loadTree, type SavedPrefixes, savedTree } from './prefix-file.js';
import { PrefixTree, sharedLength } from './prefix-tree.js';

export interface PrefixCacheOptions {
  /** The most memory that the stored keys and values take, in bytes; default 256 MiB. */
  maxBytes?: number | undefined;
  /** How they are stored: f16 takes half the memory, on WebGPU and wasm; default f32. */
  storage?: CacheStorage | undefined;
}

/** Puts the tokens of some sequences into a cache by a forward pass. */
export type RunTokens<T> = (sequences: readonly (readonly number[])[], cache: KeyValueCache) => T;

const defaultMaxBytes = 2 ** 28;

/** Tokens that prompts of one call share from which on a pass of their own is worth its time. */
const leastShared = 16;

/**
 * Keys and values of prompts, kept from one call to the next: a prompt that begins like an earlier one runs only the rest of it.
 *
 * Prompts lie in a radix tree over their ids, so that a shared beginning is stored once. Beyond `maxBytes`, the ends that were not
 * used for longest are removed. It belongs to one network, and is emptied where parameters or adapters of that have changed. It owns its
 * tensors: they are freed by `dispose`.
 *
 * @see Zheng et al. 2024 (RadixAttention), https://arxiv.org/abs/2312.07104
 * @example
 * const prefixCache = new PrefixCache(network);
 * for await (const id of generate(network, [...system, ...question], { prefixCache })) print(id);
 * for await (const id of generate(network, [...system, ...another], { prefixCache })) print(id); // runs `another` alone
 * prefixCache.dispose();
 */
export class PrefixCache {
  readonly #network: LanguageModel;
  readonly #maxBytes: number;
  readonly #storage: CacheStorage;
  readonly #tree = new PrefixTree<KeyValueCache>((part, at) => this.#halves(part, at));
  /** Of the parameters that the stored keys and values were computed with. */
  #state: readonly unknown[] = [];
  #reused = 0;
  #disposed = false;

  /** @throws InputError for an encoder-decoder, `maxBytes` that is not a number above 0, and an unknown storage */
  constructor(
    network: LanguageModel,
    { maxBytes = defaultMaxBytes, storage = 'f32' }: PrefixCacheOptions = {},
  ) {
    if (isEncoderDecoder(network)) {
      throw new InputError(
        'PrefixCache: an encoder-decoder; expected a decoder alone: an encoder reads the whole prompt before any key is made',
      );
    }
    checkPart(
      'PrefixCache: network',
      network,
      ['forward'],
      'a language model, such as model.network',
    );
    if (!(maxBytes > 0)) {
      throw new InputError(`PrefixCache: maxBytes is ${maxBytes}; expected a number above 0`);
    }
    // Checks the storage before there is anything to store.
    new KeyValueCache({ storage }).dispose();
    this.#network = network;
    this.#maxBytes = maxBytes;
    this.#storage = storage;
  }

  /**
   * The prompts of a file that `saved` was written to.
   *
   * @param file a reader of it, such as `SafetensorsReader.open(…)` gives; stays the caller's
   * @throws InputError for a file of another kind, of another model or of other weights: its first tokens are computed anew and compared;
   * SafetensorsError for a broken file
   */
  static async load(
    network: LanguageModel,
    file: SafetensorsReader,
    options: PrefixCacheOptions = {},
  ): Promise<PrefixCache> {
    const cache = new PrefixCache(network, options);
    try {
      cache.check(network);
      await loadTree(network, file, cache.#tree, cache.#storage);
      cache.#tree.evict(cache.#maxBytes);
      return cache;
    } catch (error) {
      cache.dispose();
      throw error;
    }
  }

  /**
   * The stored prompts for a safetensors file: keys and values as tensors, ids and the model's sizes in the metadata.
   *
   * Values are read from the device as they are written; until then no prompt may be added.
   *
   * @throws InputError after `dispose`
   */
  saved(): SavedPrefixes {
    this.check(this.#network);
    return savedTree(this.#network, this.#tree);
  }

  /** The memory of the stored keys and values, in bytes. */
  get bytes(): number {
    return this.#tree.bytes;
  }

  /** The number of stored tokens; one that several prompts share counts once. */
  get tokens(): number {
    return this.#tree.tokens;
  }

  /** The number of tokens that prompts did not compute because they were stored, since the cache was made. */
  get reusedTokens(): number {
    return this.#reused;
  }

  /** The number of first tokens of a prompt whose keys and values are stored. */
  match(prompt: readonly number[]): number {
    return this.#tree.match(prompt);
  }

  /**
   * Fills an empty cache with prompts: copies what is stored, runs the rest, and stores that.
   *
   * @param prompts one for each sequence of the cache
   * @param run puts tokens into a cache by a forward pass: of each prompt those that are not stored, at least `least` of them; once more
   * beforehand for a beginning that several of the prompts share
   * @param least default 1
   * @returns what `run` does
   * @throws InputError for another network, a cache that has tokens or a window, and after `dispose`
   */
  prefill<T>(
    network: LanguageModel,
    prompts: readonly (readonly number[])[],
    cache: KeyValueCache,
    run: RunTokens<T>,
    least = 1,
  ): T {
    this.check(network);
    if (cache.length > 0 || cache.slides) {
      throw new InputError(
        `prefixCache: prefill of a cache ${cache.slides ? 'with a window' : `of ${cache.length} tokens`}; expected an empty one of whole sequences`,
      );
    }
    // Keys of longer prompts are those of their length alone.
    const { steadyLength = Number.POSITIVE_INFINITY } = network;
    const isSteady = (ids: readonly number[]) => ids.length <= steadyLength;
    const beginnings = prompts.map((ids) =>
      isSteady(ids) ? ids.slice(0, Math.max(0, ids.length - least)) : [],
    );
    for (const shared of this.#sharedAmong(beginnings)) {
      const alone = new KeyValueCache({ storage: this.#storage });
      try {
        // What it returns is not wanted, and freed.
        tf.tidy(() => void this.prefill(network, [shared], alone, run));
      } finally {
        alone.dispose();
      }
    }
    const found = beginnings.map((ids) => this.#tree.find(ids));
    if (found.some((parts) => parts.length > 0)) {
      const room = Math.max(...prompts.map(({ length }) => length));
      appendParts(cache, found, room);
      this.#reused += found.reduce((sum, parts) => sum + countOf(parts), 0);
    }
    const made = run(
      prompts.map((ids, n) => ids.slice(countOf(found[n]!))),
      cache,
    );
    for (const [n, ids] of prompts.entries()) {
      if (!isSteady(ids)) continue;
      this.#tree.add(ids, (from) => partOf(cache, n, [from, ids.length], this.#storage));
    }
    this.#tree.evict(this.#maxBytes);
    return made;
  }

  /**
   * Forgets all prompts where the network's parameters or adapters have changed.
   *
   * @throws InputError unless it is for this network, and after `dispose`
   */
  check(network: unknown): void {
    if (this.#disposed) throw new InputError('PrefixCache: used after it was disposed');
    if (network !== this.#network) {
      throw new InputError(
        'prefixCache belongs to another network; expected one that was made for this network: keys and values differ',
      );
    }
    const state = this.#network.parameterState?.() ?? [];
    const before = this.#state;
    this.#state = state;
    if (state.length === before.length && state.every((one, i) => one === before[i])) return;
    this.clear();
  }

  /**
   * Forgets the ends of prompts that were not used for longest, until at most so many bytes are left.
   *
   * @throws InputError for a number below 0
   */
  evict(maxBytes: number): void {
    if (!(maxBytes >= 0)) {
      throw new InputError(
        `PrefixCache: evict to ${maxBytes} bytes; expected a number of at least 0`,
      );
    }
    this.#tree.evict(maxBytes);
  }

  /** Forgets all prompts: needed after a change of parameters that a network of one's own does not tell by `parameterState`. */
  clear(): void {
    this.#tree.dispose();
  }

  /** Frees all keys and values. */
  dispose(): void {
    this.#tree.dispose();
    this.#disposed = true;
  }

  /** Beginnings that a prompt shares with one before it, and that are not stored; each is asked for when those before are. */
  *#sharedAmong(prompts: readonly (readonly number[])[]): Generator<readonly number[]> {
    for (const [n, ids] of prompts.entries()) {
      const longest = Math.max(0, ...prompts.slice(0, n).map((other) => sharedLength(other, ids)));
      if (longest - this.#tree.match(ids) >= leastShared) yield ids.slice(0, longest);
    }
  }

  #halves(part: KeyValueCache, at: number): [KeyValueCache, KeyValueCache] {
    const halves = [
      [0, at],
      [at, part.length],
    ] as const;
    const [first, second] = halves.map((range) => partOf(part, 0, range, this.#storage));
    part.dispose();
    return [first!, second!];
  }
}
