import { checkWhole, DataError } from '../errors.js';
import type { ByteSource } from './byte-source.js';
import { keyedPermutation } from './keyed-permutation.js';
import {
  indexFile,
  manifestFile,
  parseManifest,
  type ShardEntry,
  type ShardsManifest,
  tokenBytes,
  tokensFile,
} from './manifest.js';

/** Token ids as shards store them. */
export type ShardTokens = Uint16Array | Uint32Array;

/** Orders that documents are shown in are unrelated to those of windows. */
const showing = 999;

/** A shard, and the numbers of its first token and document among all. */
interface Place extends ShardEntry {
  readonly firstToken: number;
  readonly firstDocument: number;
}

/**
 * Tokenised shards as one sequence of tokens, read by position; nothing but the manifest is held.
 *
 * @example
 * const shards = await TokenShards.open(httpSource('https://example.org/web'));
 * const window = await shards.read(1_000_000, 1025);
 */
export class TokenShards {
  readonly manifest: ShardsManifest;
  readonly #source: ByteSource;
  readonly #places: readonly Place[];

  private constructor(source: ByteSource, manifest: ShardsManifest) {
    this.manifest = manifest;
    this.#source = source;
    let [firstToken, firstDocument] = [0, 0];
    this.#places = manifest.shards.map((shard) => {
      const place = { ...shard, firstToken, firstDocument };
      firstToken += shard.tokens;
      firstDocument += shard.documents;
      return place;
    });
  }

  /**
   * Reads `shards.json`.
   *
   * @throws DataError where it is missing or not of this format
   */
  static async open(source: ByteSource): Promise<TokenShards> {
    const bytes = await source.read(manifestFile);
    return new TokenShards(source, parseManifest(bytes, `${source.name}/${manifestFile}`));
  }

  /** Where it is read from. */
  get name(): string {
    return this.#source.name;
  }

  /** How many tokens there are. */
  get length(): number {
    return this.manifest.tokens;
  }

  /**
   * Refuses a tokenizer other than that of the shards.
   *
   * @param sha256 of the tokenizer's `tokenizer.json` as `saveTokenizer` writes it
   * @param tokenizer its name, for the error
   */
  checkTokenizer(sha256: string, tokenizer: string): void {
    if (sha256 === this.manifest.tokenizer) return;
    throw new DataError(
      `${this.name}: was tokenised with the tokenizer of SHA-256 ${this.manifest.tokenizer}; ${tokenizer} has ${sha256}`,
    );
  }

  /**
   * Tokens `start` to `start + count − 1` of all shards in their order.
   *
   * @throws DataError beyond the last token, and naming the file that is shorter than the manifest says, or holds an id outside the
   * vocabulary, with its place there
   */
  async read(start: number, count: number): Promise<ShardTokens> {
    checkWhole('start', start, 0);
    checkWhole('count', count, 0);
    const end = start + count;
    if (end > this.length) {
      throw new DataError(
        `${this.name}: tokens ${start} to ${end - 1} are asked for, it has ${this.length}`,
      );
    }
    const { dtype } = this.manifest;
    const size = tokenBytes(dtype);
    const bytes = new Uint8Array(count * size);
    let i = lastAtMost(this.#places, start, 'firstToken');
    for (let at = start; at < end; i++) {
      const { name, firstToken, tokens } = this.#places[i]!;
      const to = Math.min(end, firstToken + tokens);
      if (to > at) {
        const range = { start: (at - firstToken) * size, end: (to - firstToken) * size };
        bytes.set(await this.#source.read(tokensFile(name), range), (at - start) * size);
        at = to;
      }
    }
    const ids = dtype === 'u16' ? new Uint16Array(bytes.buffer) : new Uint32Array(bytes.buffer);
    this.#checkIds(ids, start);
    return ids;
  }

  #checkIds(ids: ShardTokens, start: number): void {
    const { vocabSize } = this.manifest;
    const wrong = ids.findIndex((id) => id >= vocabSize);
    if (wrong < 0) return;
    const { name, firstToken } =
      this.#places[lastAtMost(this.#places, start + wrong, 'firstToken')]!;
    throw new DataError(
      `${this.name}/${tokensFile(name)}: token ${start + wrong - firstToken} has the id ${ids[wrong]}, expected a whole number below the vocabulary size ${vocabSize}`,
    );
  }

  /**
   * Where a document lies: `[start, end)` in tokens of all shards, with its end token.
   *
   * @throws DataError where there is no document of this number
   */
  async span(document: number): Promise<{ start: number; end: number }> {
    checkWhole('document', document, 0);
    if (document >= this.manifest.documents) {
      throw new DataError(
        `${this.name}: document ${document} is asked for, it has ${this.manifest.documents}, counted from 0`,
      );
    }
    const place = this.#places[lastAtMost(this.#places, document, 'firstDocument')]!;
    const local = document - place.firstDocument;
    const range = { start: 8 * Math.max(0, local - 1), end: 8 * (local + 1) };
    const bytes = await this.#source.read(indexFile(place.name), range);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const ends = Number(view.getBigUint64(bytes.length - 8, true));
    const starts = local === 0 ? 0 : Number(view.getBigUint64(0, true));
    if (!(starts <= ends && ends <= place.tokens)) {
      throw new DataError(
        `${this.name}/${indexFile(place.name)}: document ${local} is from token ${starts} to ${ends} of ${place.tokens}`,
      );
    }
    return { start: place.firstToken + starts, end: place.firstToken + ends };
  }

  /** Where each document of a shard ends in it, in tokens. */
  async ends(shard: number): Promise<number[]> {
    const { name, documents } = this.#places[shard]!;
    const bytes = await this.#source.read(indexFile(name));
    if (bytes.length !== 8 * documents) {
      throw new DataError(
        `${this.name}/${indexFile(name)}: has ${bytes.length} bytes, expected ${8 * documents}`,
      );
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return Array.from({ length: documents }, (_, i) => Number(view.getBigUint64(8 * i, true)));
  }

  /** A random order of the documents: the number of the one at a place. */
  order(seed: number): (place: number) => number {
    return keyedPermutation(this.manifest.documents, seed, 0, showing);
  }

  /** The tokens of a document, its end token among them. */
  async document(number: number): Promise<ShardTokens> {
    const { start, end } = await this.span(number);
    return this.read(start, end - start);
  }
}

/** The last place that begins at or before a number and is not empty at it. */
function lastAtMost(
  places: readonly Place[],
  number: number,
  key: 'firstToken' | 'firstDocument',
): number {
  let [low, high] = [0, places.length];
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (places[middle]![key] <= number) low = middle;
    else high = middle;
  }
  return low;
}
