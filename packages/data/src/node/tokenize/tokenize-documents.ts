import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { writeFile } from '@headwise/files';
import type { Tokenizer } from '@headwise/tokenizers';
import { tokenizerText } from '@headwise/tokenizers/node';
import { checkWhole, DataError } from '../../errors.js';
import { manifestFile, type ShardEntry, type ShardsManifest } from '../../shards/manifest.js';
import { type Input, inputUnits } from '../inputs.js';
import { inRunFolder, readUnitReports } from '../run-folder.js';
import { doOpenUnits, numbered, type UnitRunOptions } from '../unit-run.js';
import { endIdOf, type TokenizedUnit, tokenizeWorker } from './unit-work.js';

/** Options of `tokenizeDocuments`. */
export interface TokenizeOptions extends UnitRunOptions {
  readonly tokenizer: Tokenizer;
  /** The token that is put after each document; absent: none. */
  readonly end?: string | undefined;
}

/** What was tokenised. */
export interface TokenizeReport {
  readonly documents: number;
  readonly tokens: number;
  readonly bytes: number;
  /** Documents without a token, which are left out. */
  readonly empty: number;
  readonly shards: number;
}

/** The SHA-256 of a tokenizer's `tokenizer.json`, by which shards know it. */
export const tokenizerHash = (tokenizer: Tokenizer): string =>
  createHash('sha256').update(tokenizerText(tokenizer)).digest('hex');

/**
 * Tokenises documents into shards that `TokenShards` reads, in bounded memory.
 *
 * Each unit of work becomes one shard. A run that was killed goes on where it was when called again, and ends with the same bytes,
 * as does any number of workers. `shards.json` is written last: a folder with one is whole.
 *
 * @param inputs files, folders, globs and addresses, in any format of `readDocuments`
 * @param folder created if it does not exist; may hold the beginnings of the same run
 * @throws DataError naming what is not a document, an unknown end token, or a folder that holds another run
 */
export async function tokenizeDocuments(
  inputs: readonly Input[],
  folder: string,
  { tokenizer, end, workers = 1, onProgress, unitBytes }: TokenizeOptions,
): Promise<TokenizeReport> {
  checkWhole('workers', workers, 1);
  const { vocabSize } = tokenizer;
  const dtype = vocabSize <= 2 ** 16 ? 'u16' : 'u32';
  const endId = endIdOf(tokenizer, end);
  const settings = { tokenizer: tokenizerHash(tokenizer), endId };
  const units = await inputUnits(inputs, { size: unitBytes, out: folder });
  const plan = { command: 'tokenize', settings, units };
  return inRunFolder(folder, ['shards', 'units'], plan, async () => {
    await writeFile(join(folder, 'tokenizer.json'), tokenizerText(tokenizer));
    const entry = new URL('./worker.js', import.meta.url);
    const data = { folder, dtype, endId } as const;
    const tasks = numbered(units);
    await doOpenUnits({ folder, tasks, entry, workOf: tokenizeWorker, data, workers, onProgress });
    const total = { documents: 0, tokens: 0, bytes: 0, empty: 0 };
    const shards: ShardEntry[] = [];
    for await (const { empty, ...shard } of readUnitReports<TokenizedUnit>(folder, units.length)) {
      shards.push(shard);
      total.documents += shard.documents;
      total.tokens += shard.tokens;
      total.bytes += shard.bytes;
      total.empty += empty;
    }
    const { empty, ...counts } = total;
    if (counts.documents === 0) {
      throw new DataError(
        `${inputs.map((input) => (typeof input === 'string' ? input : input.path)).join(', ')}: no document has a token, expected at least one`,
      );
    }
    const manifest: ShardsManifest = {
      format: 'headwise-shards',
      version: 1,
      dtype,
      vocabSize,
      tokenizer: settings.tokenizer,
      endId,
      ...counts,
      shards,
    };
    await writeFile(join(folder, manifestFile), `${JSON.stringify(manifest, null, 1)}\n`);
    return { ...counts, empty, shards: shards.length };
  });
}
