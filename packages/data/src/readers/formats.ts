/** How documents may be written in a file. */
export const documentFormats = ['jsonl', 'csv', 'text', 'parquet', 'warc'] as const;

/** How documents are written in a file. */
export type DocumentFormat = (typeof documentFormats)[number];

/** How a file is compressed. */
export type Compression = 'gzip' | 'zstd';

/** The endings of files of documents; `.gz` and `.zst` may follow all but the first. */
export const formatEndings: Readonly<Record<string, DocumentFormat>> = {
  '.parquet': 'parquet',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.csv': 'csv',
  '.txt': 'text',
  '.warc': 'warc',
  '.wet': 'warc',
};

const compressions: Readonly<Record<string, Compression>> = { '.gz': 'gzip', '.zst': 'zstd' };

/** A format and a compression, each absent where a file's ending does not say it. */
export interface FileFormat {
  readonly format?: DocumentFormat | undefined;
  readonly compression?: Compression | undefined;
}

/** What the ending of a file's name, or of an address in front of its query, says. */
export function formatOf(name: string): FileFormat {
  const path = /^https?:/.test(name) ? new URL(name).pathname : name;
  const last = endingOf(path);
  const compression = Object.hasOwn(compressions, last) ? compressions[last] : undefined;
  const inner = compression ? endingOf(path.slice(0, -last.length)) : last;
  const format = Object.hasOwn(formatEndings, inner) ? formatEndings[inner] : undefined;
  return { format: format === 'parquet' && compression ? undefined : format, compression };
}

const endingOf = (path: string): string => /\.[^./\\]*$/.exec(path)?.[0].toLowerCase() ?? '';
