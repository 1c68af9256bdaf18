import { Folder } from '@headwise/files';
import { type HistoryEntry, parseHistory } from '../history.js';
import { runFileNames } from '../run-files.js';

/**
 * The history of the run in a folder up to its last checkpoint; empty where there is none.
 *
 * @throws FileError where it is damaged
 */
export async function readRunHistory(path: string): Promise<readonly HistoryEntry[]> {
  const bytes = await (await Folder.open(path)).read(runFileNames.history);
  return bytes ? parseHistory(new TextDecoder().decode(bytes)).entries : [];
}
