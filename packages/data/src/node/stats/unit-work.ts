import { join } from 'node:path';
import { loadTokenizer } from '@headwise/tokenizers/node';
import { addSize, type SizeHistogram } from '../../documents/survey.js';
import { readUnit } from '../inputs.js';
import { writeUnitReport } from '../run-folder.js';
import type { NumberedUnit } from '../unit-run.js';
import type { Work } from '../worker-pool.js';

/** What a run's workers are given. */
export interface StatsRun {
  readonly folder: string;
  readonly tokenizer: boolean;
}

/** Counts of documents. */
export interface DocumentStats {
  documents: number;
  /** Documents whose text is empty or blank. */
  empty: number;
  /** UTF-8 bytes of the texts. */
  bytes: number;
  /** Of `--tokenizer`; absent without. */
  tokens?: number | undefined;
  /** Documents by the bytes of their texts. */
  readonly byBytes: SizeHistogram;
  /** Documents by their tokens. */
  readonly byTokens?: SizeHistogram | undefined;
}

/** Counts nothing yet. */
export const noStats = (tokens: boolean): DocumentStats => ({
  documents: 0,
  empty: 0,
  bytes: 0,
  byBytes: [],
  ...(tokens ? { tokens: 0, byTokens: [] } : {}),
});

/** Counts units, in the main thread or in a worker. */
export function statsWorker({ folder, tokenizer }: StatsRun): Work<NumberedUnit> {
  const loaded = tokenizer ? loadTokenizer(join(folder, 'tokenizer.json')) : undefined;
  return async ({ number, unit }) => {
    const stats = noStats(tokenizer);
    const encoder = await loaded;
    for await (const { text } of readUnit(unit)) {
      const bytes = Buffer.byteLength(text);
      stats.documents++;
      if (text.trim() === '') stats.empty++;
      stats.bytes += bytes;
      addSize(stats.byBytes, bytes);
      if (!encoder) continue;
      const { length } = encoder.encode(text, {
        addSpecialTokens: false,
        truncation: null,
        padding: null,
      });
      stats.tokens! += length;
      addSize(stats.byTokens!, length);
    }
    await writeUnitReport(folder, number, stats);
  };
}
