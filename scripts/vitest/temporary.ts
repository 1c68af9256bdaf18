import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the system's temporary folder is called in the environment, here and on Windows. */
const names = ['TMPDIR', 'TEMP', 'TMP'];

/** Gives all tests, and the programs that they start, one temporary folder, which goes when they have ended. */
export function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'headwise-tests-'));
  for (const name of names) process.env[name] = folder;
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
