import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ReadRows } from '../../documents/steps.js';
import { DataError } from '../../errors.js';

/** Reads files of JSON lines that steps name, whole; `seen` gets the SHA-256 of each. */
export const rowReader =
  (seen?: Record<string, string>): ReadRows =>
  (path) => {
    let bytes: Buffer;
    try {
      bytes = readFileSync(path);
    } catch (cause) {
      throw new DataError(`${path}: cannot be read: ${(cause as Error).message}`, { cause });
    }
    if (seen) seen[path] = createHash('sha256').update(bytes).digest('hex');
    const lines = bytes.toString('utf8').split('\n');
    return lines.flatMap((line, i) => {
      if (line.trim() === '') return [];
      try {
        return [Object(JSON.parse(line)) as Record<string, unknown>];
      } catch (cause) {
        const { message } = cause as Error;
        throw new DataError(`${path}: line ${i + 1} is not JSON: ${message}`, { cause });
      }
    });
  };
