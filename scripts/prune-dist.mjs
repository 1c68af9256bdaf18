// Removes what was built from sources that are gone. The compiler leaves it, and what looks through `dist`, as the benchmarks and the
// check of declarations do, would find it. Runs after `tsc --build` in a package's folder, and with --all in the root after all
// packages are built: where the build comes out of turbo's cache, the package's own script does not run.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What the command line's build copies into its `dist`: the lab, which has no source there. */
const copied = /^lab[\\/]/;

const built = /\.(?:js|d\.ts)(?:\.map)?$/;

/** Removes the compiled files of a package that have no source any more; returns their paths in `dist`. */
export function pruneDist(folder) {
  const dist = join(folder, 'dist');
  const stale = readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && built.test(entry.name))
    .map((entry) => relative(dist, join(entry.parentPath, entry.name)))
    .filter((path) => !copied.test(path))
    .filter((path) => !hasSource(join(folder, 'src', path.replace(built, ''))));
  for (const path of stale) rmSync(join(dist, path));
  return stale;
}

const hasSource = (stem) => ['.ts', '.tsx'].some((end) => existsSync(stem + end));

/** The folders of a workspace whose own build prunes them. */
function prunedPackages(root) {
  return ['packages', 'apps']
    .flatMap((group) => readdirSync(join(root, group)).map((name) => join(root, group, name)))
    .filter(
      (folder) => existsSync(join(folder, 'dist')) && existsSync(join(folder, 'package.json')),
    )
    .filter((folder) => readFileSync(join(folder, 'package.json'), 'utf8').includes('prune-dist'));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const all = process.argv.includes('--all');
  for (const folder of all ? prunedPackages(process.cwd()) : [process.cwd()]) pruneDist(folder);
}
