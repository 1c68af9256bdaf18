// Runs after `tsc --build`, in a package's folder: removes what was built from sources that are gone. The compiler leaves it, and
// what looks through `dist`, as the benchmarks and the check of declarations do, would find it.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';

const built = /\.(?:js|d\.ts)(?:\.map)?$/;

/** Removes the compiled files of a package that have no source any more; returns their paths in `dist`. */
export function pruneDist(folder) {
  const dist = join(folder, 'dist');
  const stale = readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && built.test(entry.name))
    .map((entry) => relative(dist, join(entry.parentPath, entry.name)))
    .filter((path) => !hasSource(join(folder, 'src', path.replace(built, ''))));
  for (const path of stale) rmSync(join(dist, path));
  return stale;
}

const hasSource = (stem) => ['.ts', '.tsx'].some((end) => existsSync(stem + end));

if (import.meta.url === pathToFileURL(process.argv[1]).href) pruneDist(process.cwd());
