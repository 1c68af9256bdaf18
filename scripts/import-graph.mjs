// Who imports whom, read from the sources themselves: types and dynamic imports included.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';

const importPattern = /(?:\bfrom\s+|\bimport\s*\(?\s*)'([^']+)'/g;
const comments = /^\s*(?:\/\/|\*|\/\*\*).*$/gm;

/** What a source imports, as it is written there. */
export function importsOf(text) {
  return [...text.replace(comments, '').matchAll(importPattern)].map(([, name]) => name);
}

/** The folders of `packages` and `apps`, as paths from the root. */
export function packageFolders(root) {
  return ['packages', 'apps'].flatMap((group) =>
    readdirSync(join(root, group))
      .map((name) => `${group}/${name}`)
      .filter((folder) => existsSync(join(root, folder, 'package.json'))),
  );
}

/** The text of every source below a folder, by its path from the root. */
export function sourcesBelow(root, folder) {
  const path = join(root, folder);
  if (!existsSync(path)) return new Map();
  return new Map(
    readdirSync(path, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.tsx?$/.test(name))
      .map((name) => join(path, name))
      .map((file) => [relative(root, file).replaceAll('\\', '/'), readFileSync(file, 'utf8')]),
  );
}

/** The entries of our packages: `@headwise/kernels/internal` to its source. */
export function entriesOf(root) {
  const entries = new Map();
  for (const folder of packageFolders(root)) {
    const { name, exports = {} } = JSON.parse(readFileSync(join(root, folder, 'package.json')));
    for (const [entry, at] of Object.entries(exports)) {
      const source = at['@headwise/source'];
      if (source) entries.set(posix.join(name, entry), posix.join(folder, source));
    }
  }
  return entries;
}

/** The sources that each source imports: `Map<path, Set<path>>`, of paths from the root. */
export function importGraph(sources, entries) {
  const graph = new Map();
  for (const [path, text] of sources) {
    const imported = importsOf(text)
      .map((name) => (name.startsWith('.') ? sibling(path, name, sources) : entries.get(name)))
      .filter((other) => sources.has(other));
    graph.set(path, new Set(imported));
  }
  return graph;
}

function sibling(path, name, sources) {
  const base = posix.join(dirname(path), name).replace(/\.js$/, '');
  return [`${base}.ts`, `${base}.tsx`].find((file) => sources.has(file));
}

/** The groups of sources that import each other in a circle, each in order of its names. */
export function importCycles(graph) {
  // Tarjan's strongly connected components: https://doi.org/10.1137/0201010
  const [index, low, stack, on, cycles] = [new Map(), new Map(), [], new Set(), []];
  const visit = (path) => {
    index.set(path, index.size);
    low.set(path, index.get(path));
    stack.push(path);
    on.add(path);
    for (const other of graph.get(path)) {
      if (!index.has(other)) {
        visit(other);
        low.set(path, Math.min(low.get(path), low.get(other)));
      } else if (on.has(other)) low.set(path, Math.min(low.get(path), index.get(other)));
    }
    if (low.get(path) !== index.get(path)) return;
    const group = stack.splice(stack.indexOf(path));
    for (const member of group) on.delete(member);
    if (group.length > 1 || graph.get(path).has(path)) cycles.push(group.sort());
  };
  for (const path of graph.keys()) if (!index.has(path)) visit(path);
  return cycles;
}

/** How many imports lie between each source and the nearest of `changed`: only those that depend on one. */
export function dependents(graph, changed) {
  const importers = new Map([...graph.keys()].map((path) => [path, []]));
  for (const [path, imported] of graph)
    for (const other of imported) importers.get(other).push(path);
  const distances = new Map(changed.filter((path) => graph.has(path)).map((path) => [path, 0]));
  for (const [path, distance] of distances) {
    for (const importer of importers.get(path)) {
      if (!distances.has(importer)) distances.set(importer, distance + 1);
    }
  }
  return distances;
}
