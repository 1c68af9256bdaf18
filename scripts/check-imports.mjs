// Checks who imports whom, and where things of one place only are used. Prints every problem, one a line.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  entriesOf,
  importCycles,
  importGraph,
  importsOf,
  packageFolders,
  sourcesBelow,
} from './import-graph.mjs';

/** What the sources of each package may import of ours. */
export const allowed = {
  errors: [],
  files: ['errors'],
  core: ['errors'],
  safetensors: ['errors', 'files'],
  gguf: ['errors', 'safetensors'],
  tokenizers: ['errors', 'files'],
  data: ['errors', 'files', 'tokenizers'],
  testing: [],
  kernels: ['core', 'safetensors'],
  decoding: ['core', 'kernels'],
  layers: ['core', 'kernels'],
  positions: ['core', 'kernels', 'layers'],
  attention: ['core', 'kernels', 'decoding', 'layers', 'positions'],
  transformer: ['core', 'layers', 'positions', 'attention'],
  models: [
    'core',
    'kernels',
    'decoding',
    'layers',
    'positions',
    'attention',
    'transformer',
    'safetensors',
    'gguf',
    'tokenizers',
    'files',
  ],
  training: ['core', 'kernels', 'models', 'safetensors', 'files'],
  generation: ['core', 'kernels', 'decoding', 'safetensors'],
  grammar: ['core', 'generation', 'tokenizers'],
  inspect: ['core'],
  runs: [
    'core',
    'data',
    'files',
    'generation',
    'kernels',
    'models',
    'safetensors',
    'tokenizers',
    'training',
  ],
  text: ['core', 'generation', 'models', 'tokenizers'],
  'ai-sdk': ['generation', 'grammar', 'text', 'tokenizers'],
  prompting: ['core', 'data', 'files', 'generation', 'text', 'tokenizers'],
  server: ['core', 'generation', 'grammar', 'text', 'tokenizers'],
  parity: ['core', 'kernels', 'decoding', 'models', 'safetensors'],
};

/** Things that belong to one place: what they are, the pattern, and the files that may use them. */
const places = [
  {
    what: 'WGSL and WebGPUProgram',
    pattern: /@compute\b|\/\* wgsl \*\/|\bWebGPUProgram\b/,
    home: /^packages\/kernels\//,
  },
  {
    what: 'setBackend and requestDevice',
    pattern: /\b(?:setBackend|requestDevice)\(/,
    home: /^packages\/(?:core|testing)\/|^scripts\/|\/e2e\/|\.test\.ts$/,
  },
  {
    what: 'node: modules',
    pattern: /from 'node:/,
    home: /^apps\/|^packages\/files\/|^scripts\/|\.(?:test|cases)\.ts$|\/src\/node\.ts$|\/src\/node\/|\.node\.ts$|\.bench\.ts$/,
  },
  {
    what: 'the DOM',
    pattern:
      /(?<![.\w])window\.|(?<![.\w])document\.(?:body|head|title|create|query|getElement|addEvent)/,
    home: /^apps\/lab\/|^apps\/cli\/src\/report\/client\.ts$|\.test\.ts$/,
  },
];

/** The problems of one source file, by its path from the root. */
export function problemsOf(path, text) {
  const code = text.replace(/^\s*(?:\/\/|\*|\/\*\*).*$/gm, '');
  const problems = [];
  for (const { what, pattern, home } of places) {
    // The marker of WGSL is a comment itself.
    if (!home.test(path) && pattern.test(what.startsWith('WGSL') ? text : code)) {
      problems.push(`${path}: uses ${what}, which belong elsewhere`);
    }
  }
  const [, group, name] = /^(packages|apps)\/([^/]+)\//.exec(path) ?? [];
  if (name === 'examples' && /'@headwise\/[^']*\/internal'/.test(code)) {
    problems.push(`${path}: imports an entry '/internal', which is for packages of ours`);
  }
  if (group !== 'packages') return problems;
  if (/^export \*/m.test(code)) problems.push(`${path}: 'export *'; name what is exported`);
  if (/^export default/m.test(code)) problems.push(`${path}: a default export; name it`);
  const ofTests = /\.(?:test|bench|cases)\.tsx?$/.test(path);
  for (const imported of importsOf(text)) {
    const [, other] = /^@headwise\/([^/]+)/.exec(imported) ?? [];
    if (!other || other === name) {
      if (imported.startsWith('.') && leavesPackage(path, imported)) {
        problems.push(`${path}: imports '${imported}' from outside its package`);
      }
    } else if (!ofTests && !allowed[name]?.includes(other)) {
      problems.push(`${path}: ${name} must not import ${other}`);
    }
  }
  return problems;
}

function leavesPackage(path, imported) {
  const [root] = /^packages\/[^/]+\//.exec(path);
  return !normalize(join(dirname(path), imported)).startsWith(root);
}

/** The problems of a package's manifests: imports that are not declared, and what must be there. */
export function manifestProblems(folder, manifest, tsconfig, sources, files) {
  const problems = [];
  const name = folder.split('/').at(-1);
  const references = (tsconfig.references ?? []).map(({ path }) => path.split('/').at(-1));
  const all = {
    ...manifest.dependencies,
    ...manifest.devDependencies,
    ...manifest.peerDependencies,
  };
  for (const [path, text] of sources) {
    const ofTests = /\.(?:test|bench|cases)\.tsx?$|\/e2e\//.test(path);
    for (const imported of importsOf(text)) {
      const [, other] = /^@headwise\/([^/]+)/.exec(imported) ?? [];
      if (!other || other === name) continue;
      const declared = ofTests ? all : (manifest.dependencies ?? {});
      if (!declared[`@headwise/${other}`]) {
        problems.push(`${path}: @headwise/${other} is not declared in ${folder}/package.json`);
      }
      if (!ofTests && !references.includes(other)) {
        problems.push(`${path}: ${folder}/tsconfig.json has no reference to ${other}`);
      }
    }
  }
  if (!manifest.private && !files.includes('README.md')) problems.push(`${folder}: no README.md`);
  return problems;
}

/** The packages that the table names and that do not exist, and those that it lacks. */
export function tableProblems(table, folders) {
  const existing = folders
    .filter((folder) => folder.startsWith('packages/'))
    .map((folder) => folder.slice('packages/'.length));
  const named = new Set([...Object.keys(table), ...Object.values(table).flat()]);
  return [
    ...[...named]
      .filter((name) => !existing.includes(name))
      .map((name) => [name, 'does not exist']),
    ...existing.filter((name) => !table[name]).map((name) => [name, 'is missing']),
  ].map(([name, what]) => `scripts/check-imports.mjs: the package ${name} ${what}`);
}

function check(root) {
  const folders = packageFolders(root);
  const problems = tableProblems(allowed, folders);
  const all = new Map();
  for (const folder of folders) {
    const sources = new Map(
      ['src', 'e2e'].flatMap((part) => [...sourcesBelow(root, `${folder}/${part}`)]),
    );
    for (const [path, text] of sources) {
      all.set(path, text);
      problems.push(...problemsOf(path, text));
    }
    const json = (file) => JSON.parse(readFileSync(join(root, folder, file), 'utf8'));
    const files = readdirSync(join(root, folder));
    problems.push(
      ...manifestProblems(folder, json('package.json'), json('tsconfig.json'), sources, files),
    );
  }
  for (const cycle of importCycles(importGraph(all, entriesOf(root)))) {
    problems.push(`these import each other in a cycle: ${cycle.join(', ')}`);
  }
  return [...new Set(problems)];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problems = check(fileURLToPath(new URL('..', import.meta.url)));
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
