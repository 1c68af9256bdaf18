import { DataError } from '../errors.js';

/** How a token is stored: as an unsigned little-endian number of two or four bytes. */
export type TokenDtype = 'u16' | 'u32';

/** One shard: `shards/NAME.ds` holds its tokens, `shards/NAME.ds.index` where each document ends, as datatrove writes them. */
export interface ShardEntry {
  readonly name: string;
  readonly documents: number;
  readonly tokens: number;
  /** UTF-8 bytes of the documents' texts. */
  readonly bytes: number;
  /** SHA-256 of the tokens' file, in hexadecimal. */
  readonly sha256: string;
}

/** What `shards.json` says of a folder of tokenised shards. */
export interface ShardsManifest {
  readonly format: 'headwise-shards';
  readonly version: 1;
  readonly dtype: TokenDtype;
  readonly vocabSize: number;
  /** SHA-256 of `tokenizer.json`, which lies beside it. */
  readonly tokenizer: string;
  /** The token after each document; null for none. */
  readonly endId: number | null;
  readonly documents: number;
  readonly tokens: number;
  readonly bytes: number;
  readonly shards: readonly ShardEntry[];
}

/** The name of the manifest. */
export const manifestFile = 'shards.json';

/** The name of a shard's tokens: token `i` lies at byte `i · size`. */
export const tokensFile = (shard: string): string => `shards/${shard}.ds`;

/** The name of a shard's index: where each document ends in it, in tokens, as an unsigned number of eight bytes. */
export const indexFile = (shard: string): string => `shards/${shard}.ds.index`;

/** Bytes of a token. */
export const tokenBytes = (dtype: TokenDtype): number => (dtype === 'u16' ? 2 : 4);

/**
 * Reads `shards.json`.
 *
 * @param name the file's, for errors
 * @throws DataError where it is not of this format and version, its counts do not add up, or it has no vocabulary
 */
export function parseManifest(bytes: Uint8Array, name: string): ShardsManifest {
  let value: Partial<ShardsManifest> | null;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new DataError(`${name}: is not JSON: ${(cause as Error).message}`, { cause });
  }
  if (value?.format !== 'headwise-shards' || value.version !== 1) {
    const { format, version } = value ?? {};
    throw new DataError(
      `${name}: format is ${JSON.stringify(format)}, version ${JSON.stringify(version)}; expected "headwise-shards", version 1`,
    );
  }
  const { shards, dtype, tokens, documents } = value;
  const isWhole = (n: unknown) => Number.isSafeInteger(n) && (n as number) >= 0;
  const sum = (key: 'tokens' | 'documents') =>
    shards?.reduce((total, shard) => total + (isWhole(shard[key]) ? shard[key] : Number.NaN), 0);
  if (!Array.isArray(shards) || (dtype !== 'u16' && dtype !== 'u32')) {
    throw new DataError(
      `${name}: dtype is ${JSON.stringify(dtype)}; expected "u16" or "u32", and a list of shards`,
    );
  }
  if (sum('tokens') !== tokens || sum('documents') !== documents) {
    throw new DataError(
      `${name}: says ${tokens} tokens of ${documents} documents, its shards have ${sum('tokens')} of ${sum('documents')}`,
    );
  }
  const { vocabSize } = value;
  if (!Number.isSafeInteger(vocabSize) || vocabSize! < 1) {
    throw new DataError(
      `${name}: vocabSize is ${JSON.stringify(vocabSize)}, expected a whole number of at least 1`,
    );
  }
  return value as ShardsManifest;
}
