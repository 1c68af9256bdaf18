import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { writeFile } from '@headwise/files';
import type { Tokenizer } from '@headwise/tokenizers';
import { loadTokenizer } from '@headwise/tokenizers/node';
import { DataError } from '../../errors.js';
import { indexFile, type ShardEntry, type TokenDtype, tokensFile } from '../../shards/manifest.js';
import { readUnit } from '../inputs.js';
import { writeUnitReport } from '../run-folder.js';
import type { NumberedUnit } from '../unit-run.js';
import type { Work } from '../worker-pool.js';

/** What a run's workers are given. */
export interface TokenizeRun {
  readonly folder: string;
  readonly dtype: TokenDtype;
  readonly endId: number | null;
}

/** A shard, and how many documents had no tokens. */
export interface TokenizedUnit extends ShardEntry {
  readonly empty: number;
}

/** Tokenises units, in the main thread or in a worker. */
export function tokenizeWorker({ folder, dtype, endId }: TokenizeRun): Work<NumberedUnit> {
  const tokenizer = loadTokenizer(join(folder, 'tokenizer.json'));
  return async (task) => tokenizeUnit({ folder, dtype, endId }, await tokenizer, task);
}

/** Tokens that are written at once. */
const blockTokens = 2 ** 18;

/** Writes a unit's tokens, then its index, and last its counts: a unit with counts is done. */
async function tokenizeUnit(
  { folder, dtype, endId }: TokenizeRun,
  tokenizer: Tokenizer,
  { number, unit }: NumberedUnit,
): Promise<void> {
  const name = String(number).padStart(5, '0');
  const hash = createHash('sha256');
  const counts = { documents: 0, tokens: 0, bytes: 0, empty: 0 };
  const ends: number[] = [];
  async function* blocks(): AsyncGenerator<Uint8Array> {
    const block = dtype === 'u16' ? new Uint16Array(blockTokens) : new Uint32Array(blockTokens);
    let used = 0;
    const take = () => {
      const bytes = new Uint8Array(block.buffer, 0, used * block.BYTES_PER_ELEMENT);
      hash.update(bytes);
      used = 0;
      return bytes;
    };
    for await (const { text } of readUnit(unit)) {
      const { ids } = tokenizer.encode(text, plain);
      if (ids.length === 0) {
        counts.empty++;
        continue;
      }
      if (endId !== null) ids.push(endId);
      for (const id of ids) {
        if (used === blockTokens) yield take();
        block[used++] = id;
      }
      counts.documents++;
      counts.tokens += ids.length;
      counts.bytes += Buffer.byteLength(text);
      ends.push(counts.tokens);
    }
    yield take();
  }
  await writeFile(join(folder, tokensFile(name)), blocks());
  await writeFile(join(folder, indexFile(name)), indexBytes(ends));
  const report: TokenizedUnit = { name, ...counts, sha256: hash.digest('hex') };
  await writeUnitReport(folder, number, report);
}

/** Documents are tokenised whole: only the end token is put after each. */
const plain = { addSpecialTokens: false, truncation: null, padding: null } as const;

function indexBytes(ends: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(8 * ends.length);
  const view = new DataView(bytes.buffer);
  for (const [i, end] of ends.entries()) view.setBigUint64(8 * i, BigInt(end), true);
  return bytes;
}

/** The id of the end token that is asked for. */
export function endIdOf(tokenizer: Tokenizer, end: string | undefined): number | null {
  if (end === undefined) return null;
  const id = tokenizer.tokenToId(end);
  if (id !== undefined) return id;
  throw new DataError(`end is ${JSON.stringify(end)}, expected a token of the tokenizer`);
}
