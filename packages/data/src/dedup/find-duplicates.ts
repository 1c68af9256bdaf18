import { BitSet, Clusters } from './clusters.js';
import { KeyBuffer, type KeyRun, mergeRuns, type StoredRun } from './key-run.js';
import { type Part, partKey, partsOf } from './text-keys.js';

/** Where runs of keys are put while they are too many for the memory. */
export interface RunStore {
  /** Stores a run whose items are counted from `base`. */
  write(run: KeyRun, base: number): Promise<StoredRun> | StoredRun;
}

/** Options of `findDuplicates` and `findRepeatedParts`. */
export interface DuplicateOptions {
  /** Where runs of keys are kept. Default in memory; files of more are what `deduplicate` of `@headwise/data/node` is for. */
  readonly store?: RunStore | undefined;
  /** Records of a run and of a slice of the merge, about 50 bytes each. Default 2^20. */
  readonly recordsInMemory?: number | undefined;
}

/** The duplicates among some documents. */
export interface Duplicates {
  /** Documents read. */
  readonly count: number;
  /** How many of them have a duplicate before them. */
  readonly repeated: number;
  /** The first document of a document's cluster: itself if it is to stay. */
  firstOf(document: number): number;
}

/**
 * Finds documents that share a key, or are linked by others that do; the first of each cluster stays.
 *
 * @param keys `[n · 4]` keys of a text: `textKey` for exact duplicates, `MinHash.keys` for near ones
 */
export async function findDuplicates(
  documents: AsyncIterable<{ readonly text: string }>,
  keys: (text: string) => Uint32Array | undefined,
  options: DuplicateOptions = {},
): Promise<Duplicates> {
  const runs = new Runs(options);
  let count = 0;
  for await (const { text } of documents) await runs.add(keys(text), count++);
  const clusters = new Clusters(count);
  await runs.merge((first, later) => clusters.join(first, later));
  let repeated = 0;
  for (let i = 0; i < count; i++) if (clusters.firstOf(i) !== i) repeated++;
  return { count, repeated, firstOf: (document) => clusters.firstOf(document) };
}

/** The lines or paragraphs that were read before, by their number among those of all documents. */
export interface RepeatedParts {
  readonly count: number;
  has(part: number): boolean;
}

/** Finds lines or paragraphs that another one before them, of the same or another document, is equal to when simplified. */
export async function findRepeatedParts(
  documents: AsyncIterable<{ readonly text: string }>,
  part: Part,
  options: DuplicateOptions = {},
): Promise<RepeatedParts> {
  const runs = new Runs(options);
  let count = 0;
  for await (const { text } of documents) {
    for (const piece of partsOf(text, part)) await runs.add(partKey(piece), count++);
  }
  const repeated = new BitSet(count);
  await runs.merge((_, later) => repeated.add(later));
  return { count, has: (number) => repeated.has(number) };
}

/**
 * A text without its repeated lines or paragraphs.
 * @param first the number of its first part among those of all documents
 */
export function withoutRepeatedParts(
  text: string,
  part: Part,
  repeated: Pick<RepeatedParts, 'has'>,
  first: number,
): { text: string; parts: number; removed: number } {
  const parts = partsOf(text, part);
  const kept = parts.filter((_, i) => !repeated.has(first + i));
  const removed = parts.length - kept.length;
  return { text: removed === 0 ? text : kept.join(''), parts: parts.length, removed };
}

/** Keys on their way into sorted runs. */
class Runs {
  readonly #store: RunStore;
  readonly #most: number;
  readonly #buffer = new KeyBuffer();
  readonly #runs: StoredRun[] = [];
  #base = 0;

  constructor({ store = memoryRuns(), recordsInMemory = 2 ** 20 }: DuplicateOptions) {
    this.#store = store;
    this.#most = recordsInMemory;
  }

  async add(keys: Uint32Array | undefined, item: number): Promise<void> {
    if (!keys) return;
    if (this.#buffer.length + keys.length / 4 > this.#most) await this.#flush(item);
    this.#buffer.add(keys, item - this.#base);
  }

  async merge(join: (first: number, later: number) => void): Promise<void> {
    await this.#flush(this.#base);
    await mergeRuns(this.#runs, join, { recordsInMemory: this.#most });
  }

  async #flush(next: number): Promise<void> {
    if (this.#buffer.length > 0) {
      this.#runs.push(await this.#store.write(this.#buffer.take(), this.#base));
    }
    this.#base = next;
  }
}

/** Keeps runs in memory. */
export function memoryRuns(): RunStore {
  return { write: (run, base) => storedRun(run, base) };
}

/** A run in memory. */
export const storedRun = ({ records, pairs }: KeyRun, base: number): StoredRun => ({
  base,
  records: records.length / 5,
  read: (start, end) => records.subarray(5 * start, 5 * end),
  pairs: () => pairs,
});
