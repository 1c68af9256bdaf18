import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Folder, manifestName, readBytes } from '@headwise/files';
import { zipSync } from 'fflate';

/** The files of a job's working directory, by their paths in it. */
export type PackageFiles = Record<string, Uint8Array>;

/** The archive that Ray unpacks as a job's working directory; the same files make the same archive. */
export function packageOf(files: PackageFiles): { name: string; bytes: Uint8Array } {
  const names = Object.keys(files).sort();
  const entries = Object.fromEntries(names.map((name) => [name, files[name]!]));
  const bytes = zipSync(entries, {
    mtime: new Date(1980, 0, 2),
    level: 1,
  });
  return { name: `_ray_pkg_${createHash('sha1').update(bytes).digest('hex')}.zip`, bytes };
}

/**
 * The files of a folder by their names in it, as they were saved where it has a manifest, which is one of them.
 *
 * @throws FileError where one cannot be read, or is not as it was saved
 */
export async function filesOf(path: string): Promise<PackageFiles> {
  const folder = await Folder.open(path);
  const files: PackageFiles = {};
  for (const name of await folder.names()) files[name] = await folder.readRequired(name);
  if (folder.commitId !== undefined) {
    files[manifestName] = await readBytes(join(path, manifestName));
  }
  return files;
}

/** Files at a place of a package. */
export const filesAt = (place: string, files: PackageFiles): PackageFiles =>
  Object.fromEntries(Object.entries(files).map(([name, bytes]) => [`${place}/${name}`, bytes]));
