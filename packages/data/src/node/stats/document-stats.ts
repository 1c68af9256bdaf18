import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeFile } from '@headwise/files';
import type { Tokenizer } from '@headwise/tokenizers';
import { tokenizerText } from '@headwise/tokenizers/node';
import { addSizes } from '../../documents/survey.js';
import { checkWhole } from '../../errors.js';
import { type Input, inputUnits } from '../inputs.js';
import { inRunFolder, readUnitReports, writeReport } from '../run-folder.js';
import { tokenizerHash } from '../tokenize/tokenize-documents.js';
import { doOpenUnits, numbered, type UnitRunOptions } from '../unit-run.js';
import { type DocumentStats, noStats, statsWorker } from './unit-work.js';

/** Options of `documentStats`. */
export interface StatsOptions extends UnitRunOptions {
  /** Counts tokens too. */
  readonly tokenizer?: Tokenizer | undefined;
  /** Where the counts of units are kept, so that a run that was killed goes on; absent: nowhere. */
  readonly folder?: string | undefined;
}

/**
 * Counts documents, their bytes and tokens, in bounded memory.
 *
 * @param inputs files, folders, globs and addresses, in any format of `readDocuments`
 * @throws DataError naming what is not a document, or a folder that holds another run
 */
export async function documentStats(
  inputs: readonly Input[],
  { tokenizer, folder: kept, workers = 1, onProgress, unitBytes }: StatsOptions = {},
): Promise<DocumentStats> {
  checkWhole('workers', workers, 1);
  const units = await inputUnits(inputs, { size: unitBytes });
  const folder = kept ?? (await mkdtemp(join(tmpdir(), 'headwise-stats-')));
  const settings = { tokenizer: tokenizer ? tokenizerHash(tokenizer) : null };
  try {
    return await inRunFolder(folder, ['units'], { command: 'stats', settings, units }, async () => {
      if (tokenizer) await writeFile(join(folder, 'tokenizer.json'), tokenizerText(tokenizer));
      const entry = new URL('./worker.js', import.meta.url);
      const run = { folder, tokenizer: tokenizer !== undefined };
      await doOpenUnits({
        folder,
        tasks: numbered(units),
        entry,
        workOf: statsWorker,
        data: run,
        workers,
        onProgress,
      });
      const total = noStats(tokenizer !== undefined);
      for await (const of of readUnitReports<DocumentStats>(folder, units.length)) {
        total.documents += of.documents;
        total.empty += of.empty;
        total.bytes += of.bytes;
        addSizes(total.byBytes, of.byBytes);
        if (!total.byTokens) continue;
        total.tokens! += of.tokens!;
        addSizes(total.byTokens, of.byTokens!);
      }
      await writeReport(folder, total);
      return total;
    });
  } finally {
    if (kept === undefined) await rm(folder, { recursive: true });
  }
}
