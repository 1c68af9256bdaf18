/** The files of runs in the origin's private file system, which only this site can read. */

async function folderOf(run: string): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  const runs = await root.getDirectoryHandle('runs', { create: true });
  return runs.getDirectoryHandle(run, { create: true });
}

/**
 * Writes a file of a run in chunks: whole, or with an error and nothing left.
 *
 * @throws DOMException `QuotaExceededError` where the browser gives no more room
 */
export async function writeRunFile(
  run: string,
  name: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const folder = await folderOf(run);
  const file = await folder.getFileHandle(name, { create: true });
  const writable = await file.createWritable();
  try {
    for await (const chunk of chunks) await writable.write(chunk as Uint8Array<ArrayBuffer>);
    await writable.close();
  } catch (error) {
    await writable.abort().catch(() => {});
    await folder.removeEntry(name).catch(() => {});
    throw error;
  }
}

/** The bytes of a file of a run; undefined where there is none. */
export async function readRunFile(run: string, name: string): Promise<Uint8Array | undefined> {
  const folder = await folderOf(run);
  try {
    const file = await (await folder.getFileHandle(name)).getFile();
    return new Uint8Array(await file.arrayBuffer());
  } catch (error) {
    if (error instanceof DOMException && error.name === 'NotFoundError') return undefined;
    throw error;
  }
}

export async function hasRunFile(run: string, name: string): Promise<boolean> {
  const folder = await folderOf(run);
  for await (const known of folder.keys()) if (known === name) return true;
  return false;
}

/** Removes the files of a run whose names are not wanted any more. */
export async function keepRunFiles(run: string, wanted: (name: string) => boolean): Promise<void> {
  const folder = await folderOf(run);
  for await (const name of folder.keys()) if (!wanted(name)) await folder.removeEntry(name);
}

/** Removes every file of a run. */
export async function removeRunFiles(run: string): Promise<void> {
  const root = await navigator.storage.getDirectory();
  const runs = await root.getDirectoryHandle('runs', { create: true });
  await runs.removeEntry(run, { recursive: true }).catch(() => {});
}
