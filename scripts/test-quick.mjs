// An answer on a change in under a minute: format, imports and types, the scripts' tests, and of the tests on the cpu those nearest to the change.
// `pnpm test:quick [REF]` takes what differs from REF, by default from the last commit.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  dependents,
  entriesOf,
  importGraph,
  packageFolders,
  sourcesBelow,
} from './import-graph.mjs';

/** Test files to run; a file takes about a second on two cores. */
const most = 24;

/** The unit tests that depend on changed sources, in the order of how many imports lie between. */
export function nearestTests(graph, changed) {
  return [...dependents(graph, changed)]
    .map(([path]) => path)
    .filter((path) =>
      /^(?:packages|apps)\/[^/]+\/src\/.*(?<!\.(?:gpu|alone))\.test\.ts$/.test(path),
    );
}

/** The tests of the scripts, which look at the whole repository. */
function scriptTests(root) {
  return readdirSync(`${root}/scripts`)
    .filter((name) => name.endsWith('.test.mjs'))
    .map((name) => `scripts/${name}`);
}

function changedSince(ref) {
  const lines = (args) => {
    const { status, stdout, stderr } = spawnSync('git', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr.trim()}`);
    return stdout.split('\n').filter((line) => line !== '');
  };
  return [
    ...lines(['diff', '--name-only', '--diff-filter=d', ref]),
    ...lines(['ls-files', '--others', '--exclude-standard']),
  ];
}

function run(command, ...args) {
  const { status } = spawnSync('pnpm', ['exec', command, ...args], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) process.exit(status ?? 1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  process.chdir(root);
  const changed = changedSince(process.argv[2] ?? 'HEAD');
  if (changed.length === 0) {
    console.log(
      'Nothing has changed since the last commit; name what to compare with: pnpm test:quick HEAD~1',
    );
    process.exit(0);
  }
  run('biome', 'check', '--no-errors-on-unmatched', ...changed);
  run('node', '--test', '--test-reporter=dot', ...scriptTests(root));
  run('node', 'scripts/check-imports.mjs');
  run('tsc');
  const sources = new Map(
    packageFolders(root).flatMap((folder) => [...sourcesBelow(root, `${folder}/src`)]),
  );
  const tests = nearestTests(importGraph(sources, entriesOf(root)), changed);
  if (tests.length > 0) run('vitest', 'run', '--project', 'unit', ...tests.slice(0, most));
  const left = tests.length - most;
  if (left > 0)
    console.log(
      `${left} more files of unit tests depend on the change; \`pnpm test:quick\` runs the nearest ${most}`,
    );
  console.log('`npm test` runs the rest: all unit tests, WebGPU, Chromium and the command line');
}
